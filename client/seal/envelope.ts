import type { Signer } from '../signers/signer.ts'
import { type Bytes, concat, fromBase64url, randomBytes, toBase64url, utf8 } from './bytes.ts'
import { type ContentKeys, type ContentPlace, contentKeys, wrapInfo } from './content-keys.ts'
import { parseEncryptionKey } from './encryption-key.ts'
import { SealError } from './errors.ts'
import { signLine } from './signed-line.ts'
import { type Wrapped, wrap } from './wrap.ts'

export const formatName = 'mandate/1'
export const envelopeDomain = 'sealed envelope'
export { sealedType } from '../sealing.ts'

/** The most bytes of an envelope: over a thousand recipients. */
export const maxEnvelopeBytes = 1024 * 1024
/** Keys in one envelope. */
export const maxRecipients = 1000

/** Whom a file is sealed for. Only those who open the file can read this. */
export interface Recipient {
  /** `did:key` of the key that it is sealed for. */
  readonly key: string
  /** Who is meant, where that is another key: one that signs. */
  readonly did?: string
  /** The group, where the key is one: `gaia://<address>/<path>`. */
  readonly group?: string
  /** Set for a recovery key of `did`. */
  readonly recovery?: true
}

/** Where the content of a file is, and what it must be. */
export interface ContentRecord {
  /** 16 bytes: the name of the content. */
  readonly id: Bytes
  /** Of the file, when this content was sealed. */
  readonly version: number
  /** Bytes of plain text. */
  readonly size: number
  /** Bytes of plain text in a frame. */
  readonly frame: number
  readonly digest: Bytes
  /** Whether it stands behind the envelope, in the same object. */
  readonly inline: boolean
  /** Set where a former version that is kept names the same content. */
  readonly kept?: true
}

/** What only those who open the file learn. */
export interface Details {
  /** Content-Type of the plain text. */
  readonly type: string
  /** In the order of the wrapped keys. */
  readonly recipients: readonly Recipient[]
  /** Who sealed the content, in the words of whoever signed the envelope. */
  readonly by: string
}

/** All that goes into an envelope. */
export interface EnvelopeParts {
  readonly address: string
  readonly path: string
  /** Above that of any envelope before it at this path. */
  readonly version: number
  readonly content: ContentRecord
  readonly dataKey: Bytes
  readonly details: Details
  /** JSON that everybody may read, signed with the rest. */
  readonly open?: Readonly<Record<string, unknown>> | undefined
  /** Keys that are wrapped already, by the DID of their recipient's key. */
  readonly wrapped?: ReadonlyMap<string, Wrapped>
}

/**
 * Makes the envelope: one line of JSON that wraps the data key for every recipient and signs for all of the file.
 * @returns without a line feed at its end
 * @throws {SealError} `no-encryption-key` for a recipient whose key is none, `malformed` for more than readers take
 */
export async function makeEnvelope(signer: Signer, parts: EnvelopeParts): Promise<string> {
  const { address, path, version, content, dataKey, details } = parts
  const { recipients } = details
  if (recipients.length < 1 || recipients.length > maxRecipients) {
    throw new SealError('malformed', `a file is sealed for 1 to ${maxRecipients} recipients`)
  }
  const place = placeOf(parts)
  const keys = await contentKeys(dataKey, place)
  const wrapped = await Promise.all(
    recipients.map(async ({ key }) => parts.wrapped?.get(key) ?? (await wrapFor(key, dataKey, place))),
  )
  const text = JSON.stringify({
    sealed: formatName,
    address,
    path,
    version,
    content: { ...content, id: toBase64url(content.id), digest: toBase64url(content.digest) },
    details: toBase64url(await sealDetails(details, keys)),
    ...(parts.open === undefined ? {} : { open: parts.open }),
    keys: wrapped.map(({ kem, sealed }) => ({ kem, sealed: toBase64url(sealed) })),
    sealer: await signer.did(),
  }).slice(0, -1)
  const proof = toBase64url(await proofOf(text, keys))
  const line = await signLine(signer, envelopeDomain, `${text},"proof":"${proof}"`)
  if (utf8(line).length <= maxEnvelopeBytes) return line
  throw new SealError('malformed', `an envelope has at most ${maxEnvelopeBytes} bytes`)
}

export function placeOf(file: { address: string; path: string; content: ContentRecord }): ContentPlace {
  const { id, version, frame } = file.content
  return { address: file.address, path: file.path, id, version, frame }
}

async function wrapFor(key: string, dataKey: Bytes, place: ContentPlace): Promise<Wrapped> {
  return wrap(dataKey, parseEncryptionKey(key), wrapInfo(place))
}

/** HMAC-SHA256 under the data key: its maker knew it, and every recipient has the same. */
export async function proofOf(text: string, keys: ContentKeys): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign('HMAC', keys.proof, utf8(text)))
}

/** Padded to a multiple of 256 bytes, so that its length tells little of types and names. */
async function sealDetails(details: Details, keys: ContentKeys): Promise<Bytes> {
  const json = utf8(JSON.stringify(details))
  const padding = new Uint8Array(-json.length & 255).fill(0x20)
  const iv = randomBytes(12)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, keys.details, concat(json, padding))
  return concat(iv, new Uint8Array(sealed))
}

/** @throws {SealError} `damaged` */
export async function openDetails(sealed: Bytes, keys: ContentKeys): Promise<Details> {
  try {
    const algorithm = { name: 'AES-GCM', iv: sealed.slice(0, 12) }
    const json = await crypto.subtle.decrypt(algorithm, keys.details, sealed.slice(12))
    return readDetails(JSON.parse(new TextDecoder().decode(json)))
  } catch {
    throw new SealError('damaged', 'the details of the envelope do not open')
  }
}

function readDetails(value: unknown): Details {
  const { type, by, recipients } = value as Partial<Details>
  if (typeof type !== 'string' || typeof by !== 'string' || !Array.isArray(recipients))
    throw new TypeError('no details')
  if (recipients.some((one: unknown) => typeof (one as Recipient | null)?.key !== 'string'))
    throw new TypeError('no keys')
  return { type, by, recipients: recipients as Recipient[] }
}

/** @throws {SealError} `malformed` */
export function contentId(text: unknown): Bytes {
  return fromBase64url(text, 16)
}
