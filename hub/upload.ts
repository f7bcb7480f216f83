import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { WireError } from '../http/errors.ts'

export interface UploadOptions {
  /** The most bytes that may come. */
  maxBytes: number
  /** What to answer when more come. */
  tooLarge: () => WireError
  /** The upload is given up when the client sends nothing for so long while it could. */
  idleTimeoutMs: number
  /**
   * Called once when the last byte has come and before the stream ends, so before anything is committed. A
   * rejection makes the stream fail, and with it the write.
   */
  beforeEnd: () => Promise<void>
}

/** The client left, or its connection broke, before the body was whole. */
export class UploadAbortedError extends Error {
  constructor() {
    super('the client went away before the body was whole')
    this.name = 'UploadAbortedError'
  }
}

/**
 * The body of a request as a stream that cannot end early: it ends only when every byte that was announced has
 * come, is not too much, and `beforeEnd` agrees. Bytes flow at the pace of the reader. When it fails, the request
 * is left paused rather than destroyed, so that the client can still read its answer.
 */
export class Upload extends Readable {
  readonly #req: IncomingMessage
  readonly #options: UploadOptions
  readonly #idleTimer: NodeJS.Timeout
  #bytes = 0
  /** Whether the next move is the client's. A timer that was cleared could not be refreshed again. */
  #waiting = false

  constructor(req: IncomingMessage, options: UploadOptions) {
    super({ highWaterMark: 256 * 1024 })
    this.#req = req
    this.#options = options
    this.#idleTimer = setTimeout(this.#onIdle, options.idleTimeoutMs)
    req.on('data', this.#onData)
    req.on('end', this.#onEnd)
    req.on('close', this.#onClose)
    req.on('error', this.#onClose)
    // A driver may look at the stream later than it fails; what nobody listens for would end the process.
    this.on('error', () => undefined)
    // The client may have gone while the credential was checked: that event is over.
    if (req.destroyed) this.#onClose()
  }

  override _read(): void {
    // While the reader was slow, the client had no turn: its time begins now.
    this.#waiting = true
    this.#idleTimer.refresh()
    this.#req.resume()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#idleTimer)
    this.#req.off('data', this.#onData)
    this.#req.off('end', this.#onEnd)
    this.#req.off('close', this.#onClose)
    if (!this.#req.readableEnded) this.#req.pause()
    callback(error)
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#bytes += chunk.length
    if (this.#bytes > this.#options.maxBytes) {
      this.destroy(this.#options.tooLarge())
      return
    }
    this.#idleTimer.refresh()
    if (this.push(chunk)) return
    this.#waiting = false
    this.#req.pause()
  }

  readonly #onEnd = (): void => {
    this.#waiting = false
    this.#options.beforeEnd().then(
      () => this.push(null),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    )
  }

  readonly #onIdle = (): void => {
    if (this.#waiting) this.destroy(idle(this.#options.idleTimeoutMs))
  }

  readonly #onClose = (): void => {
    if (!this.#req.readableEnded) this.destroy(new UploadAbortedError())
  }
}

function idle(idleTimeoutMs: number): WireError {
  return new WireError(
    'request_timeout',
    `no byte of the body came for ${Math.round(idleTimeoutMs / 1000)} s; the upload was given up and nothing changed`,
  )
}
