import { NetworkError } from '../errors.ts'

/** Reads the body of an answer, and gives up a connection on which nothing comes. */
export class IdleReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | null
  readonly #idleTimeoutMs: number

  constructor({ body }: Response, idleTimeoutMs: number) {
    this.#reader = body?.getReader() ?? null
    this.#idleTimeoutMs = idleTimeoutMs
  }

  /** `null` at the end. @throws whatever ended the connection */
  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    if (this.#reader === null) return null
    let timer: ReturnType<typeof setTimeout> | undefined
    const idle = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new NetworkError('nothing came')), this.#idleTimeoutMs)
    })
    try {
      const { done, value } = await Promise.race([this.#reader.read(), idle])
      return done ? null : value
    } catch (error) {
      void this.cancel()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** Lets go of the connection. */
  async cancel(): Promise<void> {
    await this.#reader?.cancel().catch(() => undefined)
  }
}
