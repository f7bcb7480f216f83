import { type Bytes, equalBytes, fromBase64url, toBase64url } from './bytes.ts'
import { type ContentKeys, contentKeys, wrapInfo } from './content-keys.ts'
import { kinds } from './encryption-key.ts'
import {
  type ContentRecord,
  contentId,
  type Details,
  envelopeDomain,
  formatName,
  maxRecipients,
  openDetails,
  placeOf,
  proofOf,
  type Recipient,
} from './envelope.ts'
import { SealError } from './errors.ts'
import { layoutOf, maxFrame, maxFrames } from './frames.ts'
import type { OpeningKey } from './opening-key.ts'
import { parseLine, type SignedLine, verifyLine } from './signed-line.ts'
import { unwrap, type Wrapped } from './wrap.ts'

/** An envelope as everybody can read it; its sealer's signature has been verified. */
export interface Envelope {
  readonly address: string
  readonly path: string
  readonly version: number
  readonly content: ContentRecord
  /** Sealed. */
  readonly details: Bytes
  readonly open: Readonly<Record<string, unknown>> | null
  readonly keys: readonly Wrapped[]
  /** Who signed it: a `did:key`. */
  readonly sealer: string
  /** The bytes that `proof` is over, and the proof. */
  readonly proven: string
  readonly proof: Bytes
  /** Tells this envelope from any other. */
  readonly signature: string
}

/** An envelope that a key has opened. */
export interface OpenedEnvelope extends Details {
  readonly envelope: Envelope
  readonly dataKey: Bytes
  readonly keys: ContentKeys
  /** Whose key opened it. */
  readonly openedBy: Recipient
  /** The keys of all recipients, wrapped, by the DID of the recipient's key. */
  readonly wrapped: ReadonlyMap<string, Wrapped>
}

/**
 * Reads an envelope and verifies that its sealer signed it for this place.
 * @param line without the line feed
 * @throws {SealError} `malformed`, `unsupported`, `wrong-place`, `bad-signature`
 */
export async function readEnvelope(
  line: string,
  place: { address: string; path: string },
): Promise<Envelope> {
  const signed = parseLine(line)
  const envelope = envelopeOf(signed)
  await verifyLine(signed, envelopeDomain, envelope.sealer)
  if (envelope.address !== place.address || envelope.path !== place.path) {
    throw new SealError('wrong-place', 'it was sealed for another address or another path')
  }
  return envelope
}

function envelopeOf({ members, signed, signature }: SignedLine): Envelope {
  const { sealed, address, path, version, content, details, open = null, keys, sealer } = members
  if (sealed !== formatName)
    throw new SealError('unsupported', 'it is sealed in a format that is not known here')
  const end = /,"proof":"([A-Za-z0-9_-]{43})"$/.exec(signed)
  if (end === null || !isText(address) || !isText(path) || !isText(sealer) || !isCount(version))
    throw malformed()
  if (typeof open !== 'object') throw malformed()
  return {
    address,
    path,
    version,
    content: readContent(content),
    details: fromBase64url(details),
    open: open as Envelope['open'],
    keys: readKeys(keys),
    sealer,
    proven: signed.slice(0, end.index),
    proof: fromBase64url(end[1], 32),
    signature: toBase64url(signature),
  }
}

function readContent(value: unknown): ContentRecord {
  const { id, version, size, frame, digest, inline, kept } = (value ?? {}) as Readonly<
    Record<string, unknown>
  >
  if (!isCount(version) || !isCount(size) || !isCount(frame) || typeof inline !== 'boolean') throw malformed()
  if (frame < 1 || frame > maxFrame) throw malformed()
  const { frames, sealedBytes } = layoutOf(size, frame)
  if (frames > maxFrames || !Number.isSafeInteger(sealedBytes)) throw malformed()
  const content = { id: contentId(id), version, size, frame, digest: fromBase64url(digest, 32), inline }
  return kept === true ? { ...content, kept } : content
}

function readKeys(value: unknown): Wrapped[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > maxRecipients) throw malformed()
  return value.map((one: unknown) => {
    const { kem, sealed } = (one ?? {}) as Readonly<Record<string, unknown>>
    const kind = Object.values(kinds).find((known) => known.kem === kem)
    if (kind === undefined) throw malformed()
    return { kem: kind.kem, sealed: fromBase64url(sealed, kind.encBytes + 48) }
  })
}

/**
 * Opens an envelope with the first of the keys that it is sealed for. Each is tried, as it does not tell for whom it
 * is sealed.
 * @returns `null` where it is sealed for none of them
 * @throws {SealError} `bad-proof`, `damaged`
 */
export async function openEnvelope(
  envelope: Envelope,
  openingKeys: readonly OpeningKey[],
): Promise<OpenedEnvelope | null> {
  const place = placeOf(envelope)
  for (const key of openingKeys) {
    for (const [index, wrapped] of envelope.keys.entries()) {
      const dataKey = await unwrap(wrapped, key, wrapInfo(place))
      if (dataKey !== null) return opened(envelope, dataKey, index, key.did)
    }
  }
  return null
}

async function opened(
  envelope: Envelope,
  dataKey: Bytes,
  index: number,
  keyDid: string,
): Promise<OpenedEnvelope> {
  const keys = await contentKeys(dataKey, placeOf(envelope))
  if (!equalBytes(await proofOf(envelope.proven, keys), envelope.proof)) {
    throw new SealError('bad-proof', 'whoever signed the envelope did not know the key of its content')
  }
  const details = await openDetails(envelope.details, keys)
  const { recipients } = details
  const first = recipients[index]
  if (first?.key !== keyDid || recipients.length !== envelope.keys.length) throw malformed()
  // Somebody else may name it for recovery.
  const openedBy = recipients.find(({ key, recovery }) => key === keyDid && recovery !== true) ?? first
  const wrapped = new Map(envelope.keys.map((one, i) => [recipients[i]?.key ?? '', one] as const))
  return { ...details, envelope, dataKey, keys, openedBy, wrapped }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 1024
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}

function malformed(): SealError {
  return new SealError('malformed', 'a member of the envelope is missing or is not of its form')
}
