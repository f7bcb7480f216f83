import { addressOfDid, controls } from '../../did.ts'
import { readBounded } from '../../transport/read-bounded.ts'
import { fingerprint, parseEncryptionKey } from '../encryption-key.ts'
import type { Recipient } from '../envelope.ts'
import { SealError } from '../errors.ts'
import type { SealFor } from '../seal-for.ts'
import { type KeyStatement, readStatement, statementPath } from '../statement.ts'
import { contextAt, type SealContext } from './context.ts'
import { parseGroup } from './group-keys.ts'
import { readObject } from './stored-object.ts'
import { checkSealer, checkVersion } from './trust.ts'

/** How long a recipient's keys are used without looking again. */
const maxAgeMs = 30_000
const maxStatementBytes = 16 * 1024

/** What is remembered of somebody's statement. */
export interface Pin {
  readonly version: number
  readonly key: string
  readonly recovery: readonly string[]
}

/** The keys to seal for, each once. @throws {SealError} `no-encryption-key`, `key-changed`, `unconfirmed-key`, … */
export async function resolveAll(context: SealContext, sealFor: readonly SealFor[]): Promise<Recipient[]> {
  const lists = []
  for (const one of sealFor) lists.push(...(await resolve(context, one)))
  return eachOnce(lists)
}

/**
 * Each key once for each of its holders, so that who is removed takes no key along that another one names too. A key
 * without a holder is that of the holder who is known: who is removed is found by that.
 */
export function eachOnce(recipients: readonly Recipient[]): Recipient[] {
  const all: Recipient[] = []
  for (const recipient of recipients) {
    const isOfSame = (one: Recipient) => one.key === recipient.key && holderOf(one) === holderOf(recipient)
    const isOpen = (one: Recipient) => one.key === recipient.key && !isHolderKnown(one)
    const at = all.findIndex((one) => isOfSame(one) || isOpen(one))
    const known = all[at]
    if (known !== undefined) all[at] = stronger(known, recipient)
    else if (isHolderKnown(recipient) || !all.some(({ key }) => key === recipient.key)) all.push(recipient)
  }
  return all
}

/** Of two entries for one key: that of a holder, and of the holder's own key rather than of recovery. */
function stronger(known: Recipient, other: Recipient): Recipient {
  if (!isHolderKnown(known)) return other
  return known.recovery === true && other.recovery !== true ? other : known
}

function holderOf({ did, group }: Recipient): string | undefined {
  return group ?? did
}

export function isHolderKnown({ did, group }: Recipient): boolean {
  return did !== undefined || group !== undefined
}

/** The keys of one recipient: its own, and those of recovery that it names. */
export async function resolve(context: SealContext, sealFor: SealFor): Promise<readonly Recipient[]> {
  if (typeof sealFor === 'object' && 'key' in sealFor) return [{ key: parseEncryptionKey(sealFor.key).did }]
  if (typeof sealFor === 'string' && sealFor.startsWith('gaia://'))
    return [await resolveGroup(context, sealFor)]
  const name = typeof sealFor === 'string' ? sealFor : sealFor.address
  const now = context.connection.transport.now()
  const known = context.resolved.get(name)
  if (known !== undefined && known.untilMs > now) return known.recipients
  const recipients = await lookUp(context, sealFor)
  context.resolved.set(name, { recipients, untilMs: now + maxAgeMs })
  return recipients
}

/** Always looked up: whoever was removed a moment ago must not be sealed for. */
async function resolveGroup(context: SealContext, group: string): Promise<Recipient> {
  const { address, path } = parseGroup(group)
  const there = contextAt(context, address)
  const { envelope, rest } = await readObject(there.connection.transport, path)
  await rest.return(undefined)
  checkSealer(there, envelope)
  await checkVersion(there, envelope)
  return { key: parseEncryptionKey(String(envelope.open?.group)).did, group }
}

async function lookUp(
  context: SealContext,
  sealFor: Exclude<SealFor, { key: string }>,
): Promise<readonly Recipient[]> {
  const did = typeof sealFor === 'string' ? sealFor : didOfAddress(sealFor.address)
  if (did !== null && isX25519(did)) return [{ key: did }]
  const address = typeof sealFor === 'string' ? addressOfDid(sealFor) : sealFor.address
  const statement = await fetchStatement(context, address)
  const holder = statement?.did ?? did
  if (statement !== null && ((did !== null && statement.did !== did) || !controls(statement.did, address))) {
    throw new SealError('bad-signature', `the key statement at ${address} is not of the one who owns it`)
  }
  if (holder === null) throw noKey(address)
  const pin = statement === null ? await pinOf(context, holder) : await accept(context, statement)
  if (pin !== null) return recipientsOf(holder, pin)
  // Only a key that its holder has at hand can open; WebCrypto's signing keys cannot, so nothing is guessed for them.
  if (!holder.startsWith('did:key:zQ3s')) throw noKey(holder)
  return [{ key: holder, did: holder }]
}

function noKey(whom: string): SealError {
  return new SealError('no-encryption-key', `${whom} has published no key to seal files for`)
}

function recipientsOf(did: string, { key, recovery }: Pin): Recipient[] {
  return [{ key, did }, ...recovery.map((one) => ({ key: one, did, recovery: true as const }))]
}

function didOfAddress(address: string): string | null {
  return address.startsWith('z') ? `did:key:${address}` : null
}

function isX25519(did: string): boolean {
  return did.startsWith('did:key:z6LS')
}

/** The statement at an address, verified; `null` where there is none. */
export async function fetchStatement(context: SealContext, address: string): Promise<KeyStatement | null> {
  const { transport } = contextAt(context, address).connection
  const response = await transport.request({
    method: 'GET',
    url: transport.fileUrl(statementPath),
    accept: [404],
    cache: 'no-cache',
  })
  const bytes = await readBounded(response, maxStatementBytes)
  if (response.status === 404) return null
  if (bytes === null) throw new SealError('malformed', 'the key statement is too long, or was cut')
  return readStatement(new TextDecoder().decode(bytes))
}

/**
 * What oneself has published last, as far as the memory or the storage tells. What is signed anew rests on it, so it is
 * never what somebody else has signed, and nothing older than what was seen.
 */
export async function lastPublished(context: SealContext): Promise<Pin | null> {
  const { did } = context.connection
  const pin = await pinOf(context, did)
  const statement = await fetchStatement(context, addressOfDid(did))
  if (statement === null || statement.did !== did) return pin
  return pin !== null && pin.version > statement.version ? pin : statement
}

export async function setPin(context: SealContext, did: string, pin: Pin): Promise<void> {
  const { version, key, recovery } = pin
  await context.memory.set(`pin:${did}`, JSON.stringify({ version, key, recovery }))
}

/** Holds a statement to the one that was pinned, asks where that is wanted, and pins it. */
async function accept(context: SealContext, { did, version, key, recovery }: KeyStatement): Promise<Pin> {
  const former = await pinOf(context, did)
  const pin = { version, key, recovery }
  if (did === context.connection.did) checkOwn(context, key)
  if (former !== null && version < former.version) {
    throw new SealError('rolled-back', `the key statement of ${did} is older than one that was seen before`)
  }
  const isSame = former !== null && key === former.key && recovery.join() === former.recovery.join()
  if (!isSame && did !== context.connection.did) await confirm(context, did, pin, former)
  if (former?.version !== version || !isSame) await setPin(context, did, pin)
  return pin
}

/** A storage may show an old statement of one's own: what is sealed for its key would open for who has found that. */
function checkOwn({ keys }: SealContext, published: string): void {
  if (keys.length === 0 || keys.some(({ did }) => did === published)) return
  throw new SealError('key-changed', 'the key that is published for this identity is none of those at hand')
}

async function confirm(
  context: SealContext,
  did: string,
  { key, recovery }: Pin,
  former: Pin | null,
): Promise<void> {
  const formerFingerprint = former === null ? null : await fingerprint(former.key)
  const question = { did, key, recovery, fingerprint: await fingerprint(key), formerFingerprint }
  const isConfirmed = (await context.confirmKey?.(question)) ?? former === null
  if (isConfirmed) return
  const told = `fingerprint ${question.fingerprint}${former === null ? '' : `, formerly ${formerFingerprint}`}`
  if (former === null) throw new SealError('unconfirmed-key', `the key of ${did} was not confirmed: ${told}`)
  throw new SealError(
    'key-changed',
    `${did} publishes another key, or other recovery keys, than before: ${told}`,
  )
}

async function pinOf(context: SealContext, did: string): Promise<Pin | null> {
  const text = await context.memory.get(`pin:${did}`)
  return text === null || text === undefined ? null : (JSON.parse(text) as Pin)
}
