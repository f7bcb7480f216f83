import * as fs from 'node:fs'
import { Readable } from 'node:stream'
import { DriverError } from '../errors.ts'
import { asDriverError } from './errors.ts'

const chunkBytes = 128 * 1024

/**
 * The bytes `first` to `last` of an open file. It owns the descriptor and closes it when it ends or is
 * destroyed, however early. A file that another program cuts short is an error, never a short body.
 */
export class FileBody extends Readable {
  readonly #fd: number
  #at: number
  #left: number
  #reading = false
  #afterRead: (() => void) | null = null

  /** @param length may be 0 */
  constructor(fd: number, first: number, length: number) {
    super({ highWaterMark: chunkBytes })
    this.#fd = fd
    this.#at = first
    this.#left = length
  }

  override _read(): void {
    if (this.#left === 0) {
      this.push(null)
      return
    }
    const length = Math.min(chunkBytes, this.#left)
    this.#reading = true
    fs.read(this.#fd, Buffer.allocUnsafe(length), 0, length, this.#at, (error, count, buffer) => {
      this.#reading = false
      if (this.destroyed) this.#afterRead?.()
      else this.#take(error, buffer.subarray(0, count))
    })
  }

  #take(error: Error | null, bytes: Buffer): void {
    if (error !== null) {
      this.destroy(asDriverError(error))
    } else if (bytes.length === 0) {
      this.destroy(new DriverError('backend', 'the file became shorter while it was read'))
    } else {
      this.#at += bytes.length
      this.#left -= bytes.length
      this.push(bytes)
      if (this.#left === 0) this.push(null)
    }
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    // Closing it under a read could let that read meet whatever file gets the number next.
    const close = (): void => fs.close(this.#fd, (closing) => done(error ?? closing ?? null))
    if (this.#reading) this.#afterRead = close
    else close()
  }
}
