import { addressOfDid } from '../../did.ts'
import type { Recipient } from '../../seal/envelope.ts'
import type { SealFor } from '../../seal/seal-for.ts'
import { gaiaResource } from '../../sign-ucan.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { isAddress, isFolderPath, readRemotePath } from '../remote-path.ts'
import type { Identity } from '../session.ts'

/**
 * Reads whom to seal for as people write it: a key on this machine, a DID, an address, or a group as the place of its
 * file (`teams/board`, `alice:teams/board`, `gaia://…`).
 */
export async function readRecipient(context: CliContext, identity: Identity, text: string): Promise<SealFor> {
  if (text.startsWith('did:') && !text.slice(8).includes(':')) return text
  if (isAddress(text)) return { address: text }
  const key = await context.keys.find(text)
  if (key !== null) return key.did
  if (/[/:]/.test(text)) return readGroup(context, identity, text)
  throw new CliError('usage', `${text} is neither a key on this machine, a DID, an address nor a group`, {
    hint: 'They can tell you their DID: mandate key show. A group is named by the path of its file: teams/board.',
  })
}

export function readRecipients(
  context: CliContext,
  identity: Identity,
  texts: readonly string[],
): Promise<SealFor[]> {
  return Promise.all(texts.map((text) => readRecipient(context, identity, text)))
}

/** `gaia://<address>/<path>` of a group that is named by the place of its file. */
export async function readGroup(context: CliContext, identity: Identity, text: string): Promise<string> {
  const place = await readRemotePath(context, text)
  if (isFolderPath(place)) throw new CliError('usage', `${text} is a folder; a group is a file`)
  return gaiaResource(place.address ?? identity.address, place.path)
}

/** Whoever seals: a DID. @throws {CliError} for an address that does not tell the key which signs */
export async function readSealer(context: CliContext, text: string): Promise<string> {
  if (text.startsWith('did:key:')) return text
  if (/^z[1-9A-HJ-NP-Za-km-z]{40,80}$/.test(text)) return `did:key:${text}`
  const key = await context.keys.find(text)
  if (key !== null) return key.did
  throw new CliError(
    'usage',
    `${text} is neither a DID nor a key on this machine: a sealer is named by its DID`,
  )
}

/** A recipient as it is told to people. */
export async function nameRecipients(context: CliContext): Promise<(recipient: Recipient) => string> {
  const keys = await context.keys.list()
  const nameOf = (did: string) => keys.find((key) => key.did === did)?.name
  return ({ key, did, group, recovery }) => {
    if (group !== undefined) return `the group ${group}`
    if (did === undefined) return `the key ${key}`
    const who = nameOf(did) ?? did
    return recovery === true ? `a recovery key of ${who}` : who
  }
}

/** An owner as people would write it in front of a path. */
export async function nameOwners(context: CliContext): Promise<(address: string) => string> {
  const keys = await context.keys.list()
  return (address) => keys.find((key) => key.address === address)?.name ?? address
}

/** The addresses of those who are named by keys on this machine, DIDs or addresses. */
export async function readOwner(context: CliContext, text: string): Promise<string> {
  if (text.startsWith('did:key:')) return addressOfDid(text)
  if (isAddress(text)) return text
  const key = await context.keys.find(text)
  if (key !== null) return key.address
  throw new CliError('usage', `${text} is neither a DID, an address nor a key on this machine`)
}
