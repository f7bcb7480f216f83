import type { Readable } from 'node:stream'
import { DriverError } from './errors.ts'

/**
 * The bytes of a body that is being written, chunk by chunk, with back-pressure: the next one is asked for when
 * the one before has been dealt with. Leaving the loop early destroys the body.
 * @param size what the caller announced, where it did; a body of another length must not be committed
 * @throws the body's own error, also when it is destroyed before its end
 */
export async function* readBody(body: Readable, size: number | undefined): AsyncGenerator<Uint8Array> {
  let received = 0
  for await (const chunk of body) {
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

/** Keeps an error that comes after the driver has let go of a body from ending the process. */
export function ignoreLateErrors(body: Readable): void {
  body.on('error', () => undefined)
}
