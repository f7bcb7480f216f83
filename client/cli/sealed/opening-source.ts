import type { Connection } from '../../connection.ts'
import { refuseUnsealed } from '../../seal/files/trust.ts'
import { sealedType } from '../../sealing.ts'
import type { CliContext } from '../context.ts'
import type { ByteSource } from '../transfers/download.ts'
import { FileMemory } from './file-memory.ts'
import { type SealedSession, sealedOver } from './open-sealed.ts'
import type { TrustOptions } from './trust-options.ts'

/** What is known of a file before it is fetched. */
interface Listed {
  readonly contentType: string
}

/** Refuses what all can read, where this machine has seen a sealed file, unless it is taken from anybody. */
export async function refusePlain(
  { folder }: CliContext,
  { allowSealer }: TrustOptions,
  place: { address: string; path: string },
): Promise<void> {
  if (allowSealer?.includes('anybody') !== true) await refuseUnsealed(new FileMemory(folder), place)
}

/** Where files are fetched from: sealed ones are opened by the key that acts, others come as they are. */
export class OpeningSource {
  readonly #context: CliContext
  readonly #options: TrustOptions
  readonly #connection: Connection
  #session: Promise<SealedSession> | undefined

  constructor(context: CliContext, options: TrustOptions, connection: Connection) {
    this.#context = context
    this.#options = options
    this.#connection = connection
  }

  async sourceOf({ contentType, path }: Listed & { path: string }): Promise<ByteSource> {
    if (contentType !== sealedType) {
      await refusePlain(this.#context, this.#options, { address: this.#connection.address, path })
      return this.#connection
    }
    const { files, open } = await this.#sealed()
    return {
      get: (path, { signal, range }) => files.stream(path, { ...open, signal, ...(range && { range }) }),
    }
  }

  /** Bytes of the file that will be here. */
  async sizeOf(info: Listed & { path: string; size: number }): Promise<number> {
    if (info.contentType !== sealedType) return info.size
    const { files, open } = await this.#sealed()
    return (await files.head(info.path, open)).size
  }

  #sealed(): Promise<SealedSession> {
    this.#session ??= sealedOver(this.#context, this.#options, this.#connection)
    return this.#session
  }
}
