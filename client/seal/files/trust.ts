import { controls } from '../../did.ts'
import { SealError } from '../errors.ts'
import type { Envelope } from '../read-envelope.ts'
import type { SealContext } from './context.ts'
import type { SealMemory } from './memory.ts'

/** How far the clock of a stranger may be ahead. */
const maxAheadMs = 86_400_000

/** In the place of a signature. */
const unsealedMark = 'unsealed'

/** Whose signatures a call takes beside those that are known: DIDs, or anybody's. */
export type AllowedSealers = readonly string[] | 'anybody'

/**
 * Whether the signer of an envelope is expected to seal here: this key itself, the owner of the address, or one that
 * was named.
 * @throws {SealError} `unknown-sealer`
 */
export function checkSealer(
  context: SealContext,
  { sealer, address }: Envelope,
  allowed: AllowedSealers = [],
): void {
  if (allowed === 'anybody' || isKnownSealer(context, { sealer, address }, allowed)) return
  throw new SealError('unknown-sealer', `it was sealed by ${sealer}, who is not known to seal here`)
}

function isKnownSealer(
  context: SealContext,
  { sealer, address }: Pick<Envelope, 'sealer' | 'address'>,
  allowed: AllowedSealers = [],
): boolean {
  if (sealer === context.connection.did || controls(sealer, address)) return true
  return context.sealers.includes(sealer) || (allowed !== 'anybody' && allowed.includes(sealer))
}

/**
 * Whether a version is the word of a stranger, and higher than any clock says. To count on from it, or to remember it,
 * would keep out all that is sealed here later.
 */
export function isOutOfReach(
  context: SealContext,
  envelope: Envelope,
  allowed: AllowedSealers = [],
): boolean {
  const isAhead = envelope.version > context.connection.transport.now() + maxAheadMs
  return isAhead && !isKnownSealer(context, envelope, allowed)
}

/** The version of a file that was last seen, and its signature. */
async function seen(
  memory: SealMemory,
  name: string,
): Promise<{ version: number; signature: string } | null> {
  const [version, signature = ''] = ((await memory.get(name)) ?? '').split(' ')
  return version === undefined || version === '' ? null : { version: Number(version), signature }
}

/** 0 where none was seen. */
export async function lastSeenVersion(context: SealContext, path: string): Promise<number> {
  return (await seen(context.memory, nameOf(context.connection.address, path)))?.version ?? 0
}

/** A file, wherever its address is. */
interface Place {
  readonly address: string
  readonly path: string
}

/**
 * Refuses a file that all can read where a sealed one was seen: anybody could have put it there, unsigned.
 * @throws {SealError} `unsealed`
 */
export async function refuseUnsealed(memory: SealMemory, place: Place): Promise<void> {
  if (!(await wasSealed(memory, place))) return
  throw new SealError('unsealed', `"${place.path}" is not sealed, and it was when it was seen here before`)
}

/** Whether what was last seen of a file was sealed. */
export async function wasSealed(memory: SealMemory, { address, path }: Place): Promise<boolean> {
  const last = await seen(memory, nameOf(address, path))
  return last !== null && last.signature !== unsealedMark
}

/** Remembers that a file is sealed no more, because oneself has stored it for all to read; older envelopes are refused. */
export async function rememberUnsealed(
  memory: SealMemory,
  { address, path }: Place,
  nowMs: number,
): Promise<void> {
  const last = await seen(memory, nameOf(address, path))
  if (last === null) return
  const version = Math.max(Math.floor(nowMs), last.version + 1)
  await memory.set(nameOf(address, path), `${version} ${unsealedMark}`)
}

/**
 * Holds an envelope to what was seen at its path before, and remembers it.
 * @throws {SealError} `rolled-back` for an older version, `forked` for another one of the same number, `malformed` for
 *   one that a stranger has put out of reach
 */
export async function checkVersion(
  context: SealContext,
  envelope: Envelope,
  allowed?: AllowedSealers,
): Promise<void> {
  if (isOutOfReach(context, envelope, allowed)) {
    throw new SealError('malformed', `the version of "${envelope.path}" is of a time that has not come`)
  }
  const name = nameOf(envelope.address, envelope.path)
  await checkFresh(context, name, envelope, `"${envelope.path}"`)
}

/** The same for anything that has a version and a signature. */
export async function checkFresh(
  context: SealContext,
  name: string,
  { version, signature }: { version: number; signature: string },
  what: string,
): Promise<void> {
  const last = await seen(context.memory, name)
  if (last !== null && version < last.version) {
    throw new SealError('rolled-back', `${what} is an older version than one that was seen here before`)
  }
  if (last !== null && version === last.version && !isSame(signature, last.signature)) {
    throw new SealError('forked', `${what} is not the version that was seen here under the same number`)
  }
  if (last === null || version > last.version) await context.memory.set(name, `${version} ${signature}`)
}

/** The first half of a signature is the same for either s of it. */
function isSame(a: string, b: string): boolean {
  return a.slice(0, 42) === b.slice(0, 42)
}

function nameOf(address: string, path: string): string {
  return `seen:${address}/${path}`
}
