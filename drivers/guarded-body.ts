import { Readable } from 'node:stream'
import { DriverError } from './errors.ts'

export interface GuardOptions {
  /** Bytes that must come: a body that ends with fewer, or brings more, is an error. */
  length: number
  /** How long the backend may bring nothing while more is asked for. */
  stallMs: number
  /** What an error of the backend's stream means in the contract. */
  toError: (error: unknown) => DriverError
}

/**
 * The body of a backend's answer as the contract wants it: it ends after exactly the bytes that were announced,
 * or is destroyed with a {@link DriverError}; a reader that takes its time is not an error, a backend that does
 * is. Destroying it destroys the source, and with that frees its socket.
 */
export class GuardedBody extends Readable {
  readonly #source: Readable
  readonly #options: GuardOptions
  #left: number
  #stall: NodeJS.Timeout | undefined

  constructor(source: Readable, options: GuardOptions) {
    super()
    this.#source = source
    this.#options = options
    this.#left = options.length
    source.on('data', (chunk: Uint8Array) => this.#take(chunk))
    source.pause()
    source.once('end', () => this.#end())
    // Stays for good: an error after the end must not be one that nobody listens for.
    source.on('error', (error) => this.destroy(options.toError(error)))
    source.once('close', () => this.#close())
  }

  override _read(): void {
    this.#watch()
    this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#rest()
    this.#source.destroy()
    done(error)
  }

  #take(chunk: Uint8Array): void {
    this.#left -= chunk.byteLength
    if (this.#left < 0) {
      this.destroy(new DriverError('backend', 'the storage sent more bytes than it announced'))
      return
    }
    this.#stall?.refresh()
    if (this.push(chunk)) return
    this.#rest()
    this.#source.pause()
  }

  #end(): void {
    this.#rest()
    if (this.#left === 0) this.push(null)
    else this.destroy(brokenOff())
  }

  #close(): void {
    if (!this.#source.readableEnded && !this.destroyed) this.destroy(brokenOff())
  }

  #watch(): void {
    if (this.#stall !== undefined || this.#source.readableEnded) return
    this.#stall = setTimeout(() => {
      this.destroy(new DriverError('unavailable', 'the storage stopped in the middle of an object'))
    }, this.#options.stallMs)
  }

  #rest(): void {
    clearTimeout(this.#stall)
    this.#stall = undefined
  }
}

function brokenOff(): DriverError {
  return new DriverError('unavailable', 'the storage broke off in the middle of an object')
}
