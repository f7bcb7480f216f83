import { Readable } from 'node:stream'
import { DriverError } from '../errors.ts'
import { asDriverError } from './errors.ts'

/**
 * The bytes of a download, read as they are asked for. The SDK's stream asks for the rest when the connection
 * breaks, of the same version only; where that fails too, or it stops early, this one ends with the contract's error.
 */
export class BlobBody extends Readable {
  readonly #source: Readable

  constructor(source: Readable) {
    super()
    this.#source = source
    source.on('data', (chunk) => {
      if (!this.push(chunk)) source.pause()
    })
    source.on('end', () => this.push(null))
    source.on('error', (error) => this.destroy(asDriverError(error)))
    source.on('close', () => {
      if (!source.readableEnded) this.destroy(new DriverError('unavailable', 'the download broke off'))
    })
    source.pause()
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.destroy()
    done(error)
  }
}
