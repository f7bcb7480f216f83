import { finished, type Readable } from 'node:stream'
import { DriverError } from './errors.ts'

/**
 * The bytes of a body that is being written, chunk by chunk, with back-pressure: the next one is asked for when
 * the one before has been dealt with. Leaving the loop early destroys the body.
 * @param size what the caller announced, where it did; a body of another length must not be committed
 * @throws the body's own error, also when it is destroyed before its end
 */
export function readBody(body: Readable, size: number | undefined): AsyncGenerator<Uint8Array> {
  return count(body, body, size)
}

/**
 * The same, each piece as it came: {@link readBody} puts pieces that wait together, which is right where each call
 * costs, and a copy of everything where it does not.
 */
export function readPieces(body: Readable, size: number | undefined): AsyncGenerator<Uint8Array> {
  return count(piecesOf(body), body, size)
}

async function* count(
  chunks: AsyncIterable<unknown>,
  body: Readable,
  size: number | undefined,
): AsyncGenerator<Uint8Array> {
  let received = 0
  for await (const chunk of chunks) {
    const bytes: unknown =
      typeof chunk === 'string' ? Buffer.from(chunk, body.readableEncoding ?? 'utf8') : chunk
    if (!(bytes instanceof Uint8Array)) throw new TypeError('a body is made of bytes or strings')
    received += bytes.byteLength
    yield bytes
  }
  if (size !== undefined && size !== received) {
    throw new DriverError('backend', `the body has ${received} bytes where ${size} were announced`)
  }
}

async function* piecesOf(body: Readable): AsyncGenerator<unknown> {
  const pieces: unknown[] = []
  let outcome: { readonly error: unknown } | undefined
  let wake = (): void => undefined
  const take = (piece: unknown): void => {
    pieces.push(piece)
    body.pause()
    wake()
  }
  const forget = finished(body, { writable: false }, (error) => {
    outcome = { error }
    wake()
  })
  body.on('data', take)
  body.pause()
  try {
    for (;;) {
      if (pieces.length > 0) yield pieces.shift()
      else if (outcome !== undefined) break
      else {
        const woken = new Promise<void>((resolve) => {
          wake = resolve
        })
        body.resume()
        await woken
      }
    }
    if (outcome.error !== null && outcome.error !== undefined) throw outcome.error
  } finally {
    forget()
    body.off('data', take)
    body.destroy()
  }
}

/** Keeps an error that comes after the driver has let go of a body from ending the process. */
export function ignoreLateErrors(body: Readable): void {
  body.on('error', () => undefined)
}
