import type { Connection } from '../../connection.ts'
import type { PutOptions, PutResult } from '../../files/put.ts'
import type { PutData } from '../../files/source.ts'
import type { Recipient } from '../../seal/envelope.ts'
import { sealContext } from '../../seal/files/context.ts'
import { resolveAll } from '../../seal/files/resolve.ts'
import { rememberUnsealed } from '../../seal/files/trust.ts'
import type { SealFor } from '../../seal/seal-for.ts'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { FileMemory } from './file-memory.ts'
import { type SealedSession, sealedOver } from './open-sealed.ts'
import { readRecipients } from './recipients.ts'
import type { TrustOptions } from './trust-options.ts'

export interface StoringOptions extends TrustOptions {
  /** As it was written; `same` for the recipients of the present version. */
  sealFor?: string[]
  plain?: boolean
}

/** A file that was stored, and for whom it is sealed, if it is. */
export interface Stored extends PutResult {
  readonly recipients?: readonly Recipient[]
}

/** For whom, is settled beforehand. */
export type StoreOptions = Omit<PutOptions, 'sealFor' | 'plain'>

/** Stores files, sealed or for all to read. */
export interface Storing {
  put(path: string, data: PutData, options: StoreOptions): Promise<Stored>
}

export async function storingFor(
  context: CliContext,
  options: StoringOptions,
  connection: Connection,
): Promise<Storing> {
  const { sealFor: names } = options
  if (names === undefined) return plain(context, connection, options.plain === true)
  if (options.plain === true) throw new CliError('usage', '--plain and --seal-for contradict each other')
  const session = await sealedOver(context, options, connection)
  if (names.includes('same')) {
    if (names.length > 1) throw new CliError('usage', 'to add recipients to the same: mandate share')
    return sealing(session, undefined)
  }
  const sealFor = await readRecipients(context, session.identity, names)
  await settleKeys(session, sealFor)
  return sealing(session, sealFor)
}

/** Asks about keys that are new here before anything is sent, not in the middle of a folder. */
export async function settleKeys(
  { connection, seal }: SealedSession,
  sealFor: readonly SealFor[],
): Promise<readonly Recipient[]> {
  return resolveAll(sealContext(connection, seal), sealFor)
}

function sealing({ connection, files }: SealedSession, sealFor: readonly SealFor[] | undefined): Storing {
  return {
    async put(path, data, options) {
      const isNew = sealFor !== undefined && options.overwrite !== true && options.ifMatch === undefined
      // A content goes first and its name last: what would be refused in the end is not sent.
      if (isNew) await refuseTaken(connection, path, options)
      const whom = sealFor === undefined ? {} : { sealFor }
      return files.put(path, data, { ...options, ...whom, ...(isNew ? { createOnly: true } : {}) })
    },
  }
}

async function refuseTaken(connection: Connection, path: string, { signal }: StoreOptions): Promise<void> {
  const there = await connection.head(path, { signal })
  if (there === null) return
  throw new CliError('conflict', 'another version is there already; nothing was stored', {
    details: { etag: there.etag },
    hint: 'To replace it: --force, with --keep-history to keep it too.',
  })
}

/** What is sealed is not replaced by what all can read, unless that is said. */
function plain({ folder }: CliContext, connection: Connection, isSaid: boolean): Storing {
  const { address, transport } = connection
  return {
    async put(path, data, options) {
      if (!isSaid && (options.overwrite === true || options.ifMatch !== undefined)) {
        const there = await connection.head(path, { signal: options.signal })
        if (there?.contentType === sealedType) throw sealedThere(path)
      }
      const done = await connection.put(path, data, options)
      await rememberUnsealed(new FileMemory(folder), { address, path }, transport.now())
      return done
    },
  }
}

function sealedThere(path: string): CliError {
  return new CliError('conflict', `${path} holds a sealed file; nothing was stored`, {
    hint: 'To seal the new one for those who can open it: --seal-for same. To let all read it: --plain.',
  })
}
