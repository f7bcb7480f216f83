import { addressOfDid } from '../did.ts'
import { CliError } from './cli-error.ts'
import type { CliContext } from './context.ts'

/** A place in a bucket. */
export interface RemotePath {
  /** Whose bucket; `null` for that of the key which acts. */
  readonly address: string | null
  /** Decoded; empty for the whole bucket, with a slash at its end for a folder. */
  readonly path: string
  /** As it was written, for messages. */
  readonly text: string
}

/**
 * Reads a place as people write it: `photos/cat.jpg` in one's own bucket, `alice:photos/` in that of a key on this
 * machine, `1A1z…:photos/` or `did:key:z…:photos/` in that of anybody, `gaia://<address>/photos/`. A colon in front
 * (`:a:b`) says that the rest is a path of one's own, whatever it holds.
 * @throws {CliError} where the owner is nobody known: a slip must not become a file of one's own
 */
export async function readRemotePath(context: CliContext, text: string): Promise<RemotePath> {
  const { owner, path } = splitOwner(text)
  const address = owner === null ? null : await addressNamed(context, owner, text)
  return { address, path: path.replace(/^\/+/, ''), text }
}

export function isFolderPath({ path }: RemotePath): boolean {
  return path === '' || path.endsWith('/')
}

function splitOwner(text: string): { owner: string | null; path: string } {
  if (text.startsWith(':')) return { owner: null, path: text.slice(1) }
  const [, owner, path] =
    /^gaia:\/\/([^/]+)(?:\/(.*))?$/s.exec(text) ??
    /^(did:key:[^:/]+)(?::(.*))?$/s.exec(text) ??
    /^([^:/]+):(.*)$/s.exec(text) ??
    []
  return owner === undefined ? { owner: null, path: text } : { owner, path: path ?? '' }
}

/** An address as it stands, that of a DID, or that of a key on this machine. */
async function addressNamed(context: CliContext, owner: string, text: string): Promise<string> {
  if (isAddress(owner)) return owner
  if (owner.startsWith('did:key:')) return addressOfDid(owner)
  const key = await context.keys.find(owner)
  if (key !== null) return key.address
  throw new CliError('usage', `${owner} is neither an address nor a key on this machine`, {
    hint: `For a path of your own that holds a colon, write :${text}`,
  })
}

/** `1…` of a secp256k1 key, or the identifier of a `did:key`. */
export function isAddress(text: string): boolean {
  return /^(?:1[1-9A-HJ-NP-Za-km-z]{25,34}|z[1-9A-HJ-NP-Za-km-z]{40,80})$/.test(text)
}

/** Whoever may be named as somebody to delegate to: a key on this machine, a DID or an address. */
export async function readPrincipal(context: CliContext, text: string): Promise<string> {
  if (text.startsWith('did:') || isAddress(text)) return text
  const key = await context.keys.find(text)
  if (key !== null) return key.did
  throw new CliError('usage', `${text} is neither a DID, an address nor a key on this machine`, {
    hint: 'They can tell you their DID: mandate key show',
  })
}
