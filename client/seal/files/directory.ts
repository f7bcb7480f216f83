import { addressOfDid, controls } from '../../did.ts'
import { readFile } from '../../files/read.ts'
import { type Bytes, framed, fromBase64url, toBase64url } from '../bytes.ts'
import { type EncryptionKey, kinds } from '../encryption-key.ts'
import { formatName } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { parseLine, signLine, verifyLine } from '../signed-line.ts'
import { type Wrapped, wrap } from '../wrap.ts'
import { contextAt, type SealContext } from './context.ts'
import { orNull } from './stored-object.ts'
import { checkFresh } from './trust.ts'

const directoryDomain = 'index directory'
/** Where a sealer tells recipients which box is theirs; each entry opens for one of them only. */
const directoryPath = '.mandate/shared.json'

/** Each is tried with every key at hand. */
const maxBoxes = 10_000
export const boxNameBytes = 16

/** Who has a box with a sealer, in words that only they can read. */
export interface Directory {
  readonly did: string
  readonly version: number
  readonly boxes: readonly Wrapped[]
}

/** What an entry is wrapped for. */
export function entryInfo(address: string): Bytes {
  return framed('mandate index entry v1', address)
}

/** The directory at an address, verified; `null` where there is none. @throws {SealError} */
export async function readDirectory(context: SealContext, address: string): Promise<Directory | null> {
  const { transport } = contextAt(context, address).connection
  const file = await orNull(readFile(transport, directoryPath, { maxBytes: 16 * 1024 * 1024 }))
  if (file === null) return null
  const line = parseLine(file.text())
  const { index, address: of, version, boxes, did } = line.members
  if (index !== formatName) throw new SealError('unsupported', 'it is no index of a known format')
  if (Array.isArray(boxes) && boxes.length > maxBoxes) throw malformed()
  if (typeof did !== 'string' || !Number.isSafeInteger(version) || !Array.isArray(boxes)) throw malformed()
  await verifyLine(line, directoryDomain, did)
  if (of !== address || !controls(did, address)) {
    throw new SealError('bad-signature', `the index at ${address} is not of the one who owns it`)
  }
  const fresh = { version: Number(version), signature: toBase64url(line.signature) }
  await checkFresh(context, `index:${address}`, fresh, `the index at ${address}`)
  return { did, version: Number(version), boxes: boxes.map(readEntry) }
}

function readEntry(value: unknown): Wrapped {
  const { kem, sealed } = (value ?? {}) as Readonly<Record<string, unknown>>
  const kind = Object.values(kinds).find((known) => known.kem === kem)
  if (kind === undefined) throw malformed()
  return { kem: kind.kem, sealed: fromBase64url(sealed, kind.encBytes + boxNameBytes + 16) }
}

/** Adds an entry to one's own directory: the name of a box, for the one whose box it is. */
export async function addToDirectory(context: SealContext, box: Bytes, key: EncryptionKey): Promise<void> {
  const { did, transport } = context.connection
  const address = addressOfDid(did)
  const home = contextAt(context, address)
  const entry = await wrap(box, key, entryInfo(address))
  await home.connection.update(
    directoryPath,
    async () => {
      const former = await readDirectory(context, address)
      const version = Math.max(Math.floor(transport.now()), (former?.version ?? 0) + 1)
      const boxes = [...(former?.boxes ?? []), entry].map(({ kem, sealed }) => ({
        kem,
        sealed: toBase64url(sealed),
      }))
      const text = JSON.stringify({ index: formatName, address, did, version, boxes }).slice(0, -1)
      return signLine(transport.signer, directoryDomain, text)
    },
    { contentType: 'application/json', idempotent: true },
  )
}

function malformed(): SealError {
  return new SealError('malformed', 'a member of the index is missing or is not of its form')
}
