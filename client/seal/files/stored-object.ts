import { NotFoundError } from '../../errors.ts'
import { download } from '../../files/download.ts'
import type { FileInfo } from '../../files/file.ts'
import type { Transport } from '../../transport/transport.ts'
import { type Bytes, concat } from '../bytes.ts'
import { iterate } from '../chunks.ts'
import { maxEnvelopeBytes } from '../envelope.ts'
import { SealError } from '../errors.ts'
import { damaged, layoutOf } from '../frames.ts'
import { type Envelope, type OpenedEnvelope, readEnvelope } from '../read-envelope.ts'

/** A sealed file as it is stored: its envelope, and what follows it. */
export interface StoredObject {
  readonly info: FileInfo
  readonly envelope: Envelope
  /** Bytes of the envelope with its line feed: where an inline content begins. */
  readonly start: number
  /** What follows the envelope; to be read or let go of. */
  readonly rest: AsyncGenerator<Uint8Array>
}

/** A sealed file whose envelope is open. */
export interface OpenedObject extends StoredObject {
  readonly opened: OpenedEnvelope
}

interface Call {
  readonly signal?: AbortSignal | undefined
  /** Where the file lies, if that is not where it was sealed for: a former version. */
  readonly from?: string | undefined
}

/**
 * Reads the envelope at a path and verifies who signed it.
 * @throws {NotFoundError}
 * @throws {SealError} `malformed` for what is no sealed file, …
 */
export async function readObject(transport: Transport, path: string, call: Call = {}): Promise<StoredObject> {
  const opened = await download(transport, call.from ?? path, { signal: call.signal })
  if ('notModified' in opened) throw new SealError('malformed', 'the reader gave no file')
  const source = iterate(opened.stream)
  try {
    const { line, after } = await readLine(source)
    const envelope = await readEnvelope(new TextDecoder().decode(line), { address: transport.address, path })
    const { size, frame, inline } = envelope.content
    const expected = line.length + 1 + (inline ? layoutOf(size, frame).sealedBytes : 0)
    if (opened.length !== null && opened.length !== expected) throw damaged()
    return { info: opened.info, envelope, start: line.length + 1, rest: prepend(after, source) }
  } catch (error) {
    await source.return(undefined)
    throw isMalformed(error) ? notSealed(path, error) : error
  }
}

function isMalformed(error: unknown): error is SealError {
  return error instanceof SealError && error.code === 'malformed'
}

/** Which file that is: calls of several paths, and of groups, would not tell. */
function notSealed(path: string, cause: SealError): SealError {
  return new SealError('malformed', `"${path}" is no sealed file: ${cause.message}`, { cause })
}

/** {@link readObject}, with `null` where there is no file. */
export async function readObjectOrNull(
  transport: Transport,
  path: string,
  call: Call = {},
): Promise<StoredObject | null> {
  return orNull(readObject(transport, path, call))
}

export async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading
  } catch (error) {
    if (error instanceof NotFoundError) return null
    throw error
  }
}

async function readLine(source: AsyncGenerator<Uint8Array>): Promise<{ line: Bytes; after: Uint8Array }> {
  const parts: Uint8Array[] = []
  let bytes = 0
  for (let next = await source.next(); !next.done; next = await source.next()) {
    const end = next.value.indexOf(0x0a)
    if (end >= 0)
      return { line: concat(...parts, next.value.subarray(0, end)), after: next.value.subarray(end + 1) }
    parts.push(next.value)
    bytes += next.value.length
    if (bytes > maxEnvelopeBytes || parts[0]?.[0] !== 0x7b) break
  }
  throw new SealError('malformed', 'it does not begin with an envelope')
}

async function* prepend(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first
  yield* rest
}
