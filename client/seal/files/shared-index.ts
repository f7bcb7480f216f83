import { hex } from '@scure/base'
import { addressOfDid } from '../../did.ts'
import { NotFoundError, PreconditionFailedError } from '../../errors.ts'
import { gaiaResource } from '../../sign-ucan.ts'
import { type Bytes, randomBytes, utf8 } from '../bytes.ts'
import { parseEncryptionKey } from '../encryption-key.ts'
import type { Recipient } from '../envelope.ts'
import { SealError } from '../errors.ts'
import type { SealFor } from '../seal-for.ts'
import { unwrap } from '../wrap.ts'
import { contextAt, type SealContext } from './context.ts'
import { addToDirectory, boxNameBytes, entryInfo, readDirectory } from './directory.ts'
import { keysOfGroups } from './group-keys.ts'
import { openObject } from './open.ts'
import { readBytes } from './read.ts'
import { writeSealed } from './write.ts'

/** A file that somebody sealed for a key at hand. */
export interface SharedFile {
  /** Who says so: a DID. */
  readonly by: string
  readonly address: string
  readonly path: string
}

/** What a box holds, sealed for its recipient and the one who fills it. */
interface Box {
  /** `gaia://<address>/<path>` */
  readonly files: readonly string[]
}

const secretPath = '.mandate/index-secret'
const maxTries = 20

/**
 * Tells recipients, in boxes at the sealer's own address that only they and the sealer can read, of a file that is
 * sealed for them, or no longer is. The hub sees that there are boxes, and how large they are.
 * @returns false where the sealer has no key to read its own boxes with: nothing was told then
 */
export async function tell(
  context: SealContext,
  recipients: readonly Recipient[],
  file: { address: string; path: string },
  isShared: boolean,
): Promise<boolean> {
  if (context.keys.length === 0) return false
  const { did } = context.connection
  const home = contextAt(context, addressOfDid(did))
  const others = recipients.filter((recipient) => recipient.did !== did && recipient.recovery !== true)
  const secret = others.length === 0 ? null : await boxSecret(home)
  for (const recipient of others) {
    if (secret !== null)
      await changeBox(home, secret, recipient, gaiaResource(file.address, file.path), isShared)
  }
  return true
}

/** Names the boxes; only the sealer has it, so that nobody can tell for whom a box is. */
async function boxSecret(home: SealContext): Promise<Bytes> {
  try {
    return (await readBytes(home, secretPath)).bytes
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error
  }
  try {
    await writeSealed(home, secretPath, randomBytes(32), { sealFor: [], createOnly: true })
  } catch (error) {
    // Another device of the same owner was faster.
    if (!(error instanceof PreconditionFailedError)) throw error
  }
  return (await readBytes(home, secretPath)).bytes
}

async function boxName(secret: Bytes, keyDid: string): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', key, utf8(keyDid))).slice(0, boxNameBytes)
}

function boxPath(name: Bytes): string {
  return `.mandate/shared/${hex.encode(name)}`
}

async function changeBox(
  home: SealContext,
  secret: Bytes,
  recipient: Recipient,
  file: string,
  isShared: boolean,
): Promise<void> {
  const name = await boxName(secret, recipient.key)
  for (let tries = 1; ; tries++) {
    const box = await readBox(home, boxPath(name))
    if (box === null && !isShared) return
    const others = (box?.files ?? []).filter((known) => known !== file)
    const isKnown = box !== null && others.length < box.files.length
    if (isKnown === isShared) return
    if (box === null) await addToDirectory(home, name, parseEncryptionKey(recipient.key))
    const condition = box === null ? { createOnly: true } : { ifMatch: box.etag }
    const content = JSON.stringify({ files: isShared ? [...others, file] : others } satisfies Box)
    const sealFor: SealFor[] = [{ key: recipient.key }]
    try {
      await writeSealed(home, boxPath(name), content, { sealFor, includeMe: true, ...condition })
      return
    } catch (error) {
      if (!(error instanceof PreconditionFailedError) || tries === maxTries) throw error
    }
  }
}

async function readBox(context: SealContext, path: string): Promise<(Box & { etag: string }) | null> {
  try {
    const file = await readBytes(context, path)
    const { files } = file.json() as Partial<Box>
    if (!Array.isArray(files)) throw new SealError('malformed', 'that file is no box of an index')
    return { files: files.filter((one) => typeof one === 'string'), etag: file.etag }
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}

/**
 * What the owners of these addresses have sealed for a key at hand, or for a group of it, as their boxes say. Two
 * requests for each of them, however many files there are. A group that cannot be read is an error at the end.
 */
export async function* sharedBy(
  context: SealContext,
  addresses: readonly string[],
): AsyncGenerator<SharedFile> {
  const groups = await keysOfGroups(context, (there, path) => openObject({ ...there, groups: [] }, path))
  const keys = [...context.keys, ...groups.keys]
  for (const address of addresses) {
    const directory = await readDirectory(context, address)
    const names = new Set<string>()
    for (const wrapped of directory?.boxes ?? []) {
      for (const key of keys) {
        const name = await unwrap(wrapped, key, entryInfo(address))
        if (name !== null) names.add(boxPath(name))
      }
    }
    for (const name of names) yield* filesOf(contextAt(context, address), name, directory?.did ?? '')
  }
  if (groups.failure !== null) throw groups.failure
}

async function* filesOf(context: SealContext, box: string, by: string): AsyncGenerator<SharedFile> {
  for (const file of (await readBox(context, box))?.files ?? []) {
    const [, address, path] = /^gaia:\/\/([a-zA-Z0-9]{1,128})\/(.+)$/s.exec(file) ?? []
    if (address !== undefined && path !== undefined) yield { by, address, path }
  }
}
