import { InvalidInputError } from '../errors.ts'
import { bytesBody, textBody } from '../transport/body.ts'
import type { BodySource, RequestBody } from '../transport/transport.ts'

/** A stream of bytes, in any form that a platform has. */
export type ByteStream = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>

/**
 * What can be stored. A stream is sent as it comes where the platform allows (Node), and cannot be sent again once
 * bytes of it were taken; a function that opens a stream can.
 */
export type PutData =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ByteStream
  | (() => ByteStream | Promise<ByteStream>)

/** A body with the Content-Type that its form suggests. */
export interface Content {
  readonly body: BodySource
  readonly contentType: string
}

const binary = 'application/octet-stream'

/**
 * @param size bytes, where the caller knows those of a stream
 * @throws {InvalidInputError} for what cannot be stored
 */
export function contentOf(data: PutData, size?: number): Content {
  if (typeof data === 'string') return { body: textBody(data), contentType: 'text/plain; charset=utf-8' }
  // A copy: what the caller does with its bytes later must not change what is sent.
  if (data instanceof Uint8Array) return { body: bytesBody(Uint8Array.from(data)), contentType: binary }
  if (data instanceof ArrayBuffer)
    return { body: bytesBody(new Uint8Array(data.slice(0))), contentType: binary }
  if (data instanceof Blob) {
    return {
      body: { size: data.size, replayable: true, open: () => data },
      contentType: data.type === '' ? binary : data.type,
    }
  }
  return { body: streamBody(data, size ?? null), contentType: binary }
}

function streamBody(
  data: ByteStream | (() => ByteStream | Promise<ByteStream>),
  size: number | null,
): BodySource {
  if (typeof data === 'function') return { size, replayable: true, open: async () => asStream(await data()) }
  const stream = asStream(data)
  return { size, replayable: false, open: () => stream }
}

function asStream(data: ByteStream): RequestBody {
  if (data instanceof ReadableStream) return data
  if (typeof data !== 'object' || !(Symbol.asyncIterator in data)) {
    throw new InvalidInputError('only a string, bytes, a Blob or a stream of bytes can be stored')
  }
  return fromIterable(data)
}

/** `ReadableStream.from`, which not every browser has. */
function fromIterable(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]()
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await iterator.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel(reason) {
        await iterator.return?.(reason)
      },
    },
    { highWaterMark: 0 },
  )
}
