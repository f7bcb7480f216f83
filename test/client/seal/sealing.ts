import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Bytes, concat, randomBytes } from '../../../client/seal/bytes.ts'
import { iterate, toBytes } from '../../../client/seal/chunks.ts'
import { contentKeys } from '../../../client/seal/content-keys.ts'
import { makeEnvelope, type Recipient } from '../../../client/seal/envelope.ts'
import { SealError, type SealErrorCode } from '../../../client/seal/errors.ts'
import {
  checkHashes,
  layoutOf,
  openFrames,
  type SealedContent,
  sealFrames,
} from '../../../client/seal/frames.ts'
import type { OpeningKey } from '../../../client/seal/opening-key.ts'
import { type OpenedEnvelope, openEnvelope, readEnvelope } from '../../../client/seal/read-envelope.ts'
import type { Signer } from '../../../client/signers/signer.ts'

export interface VectorFile {
  name: string
  address: string
  path: string
  plain: string
  type: string
  sealer: string
  dataKey: string
  envelope: string
  content: string
}

export interface Vectors {
  openingKeys: { kind: string; did: string; privateKey?: string; privateKeyHex?: string }[]
  files: VectorFile[]
  statement: { text: string; did: string; key: string; recovery: string[] }
}

/** The committed vectors; they lie beside the source, which is two levels higher than what is built of it. */
export const vectors = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../../../test/client/seal/vectors.json', import.meta.url)), 'utf8'),
) as Vectors

/** A sealed file outside of any storage. */
export interface SealedFile {
  address: string
  path: string
  envelope: string
  content: Bytes
}

export async function sealFile(options: {
  signer: Signer
  recipients: readonly Recipient[]
  data: Uint8Array
  address?: string
  path?: string
  frame?: number
  version?: number
  dataKey?: Bytes
  id?: Bytes
}): Promise<SealedFile> {
  const {
    signer,
    recipients,
    data,
    address = '1Address',
    path = 'a/b.txt',
    frame = 64,
    version = 7,
  } = options
  const { dataKey = randomBytes(32), id = randomBytes(16) } = options
  const keys = await contentKeys(dataKey, { address, path, id, version, frame })
  let sealed: SealedContent = { size: -1, digest: id }
  const content = await toBytes(
    sealFrames(iterate(data), keys.frames, frame, (end) => {
      sealed = end
    }),
  )
  const envelope = await makeEnvelope(signer, {
    address,
    path,
    version,
    content: { ...sealed, id, version, frame, inline: false },
    dataKey,
    details: { type: 'text/plain', recipients, by: await signer.did() },
  })
  return { address, path, envelope, content }
}

/** Opens it as a reader does, whole, or only some of its frames. */
export async function openFile(
  file: SealedFile,
  keys: readonly OpeningKey[],
  some: { first?: number; end?: number } = {},
): Promise<Bytes> {
  const envelope = await readEnvelope(file.envelope, file)
  const opened = await openEnvelope(envelope, keys)
  if (opened === null) throw new SealError('not-a-recipient', 'sealed for others')
  return openStored(opened, file.content, some)
}

/** Opens the content of a file whose envelope is open. */
export async function openStored(
  { envelope, keys }: OpenedEnvelope,
  content: Bytes,
  some: { first?: number; end?: number } = {},
): Promise<Bytes> {
  const { size, frame, digest } = envelope.content
  const { frames, framesBytes, sealedBytes } = layoutOf(size, frame)
  if (content.length !== sealedBytes) throw new SealError('damaged', 'of another length')
  const hashes = content.slice(framesBytes)
  await checkHashes(hashes, digest)
  const { first = 0, end = frames } = some
  const stored = content.slice(first * (frame + 16), Math.min(end * (frame + 16), framesBytes))
  return concat(await toBytes(openFrames(iterate(stored), keys.frames, { frame, size, first, end, hashes })))
}

/** The code of the refusal; fails where there is none. */
export async function codeOf(action: Promise<unknown>): Promise<SealErrorCode> {
  const outcome = await action.then(
    () => 'it was taken',
    (error: unknown) => error,
  )
  if (outcome instanceof SealError) return outcome.code
  throw new Error('it was not refused as a sealed file', { cause: outcome })
}
