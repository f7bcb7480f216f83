import type { Connection } from '../../connection.ts'
import type { Unsealed } from '../../files/file.ts'
import type { SealOptions } from '../../seal/files/context.ts'
import type { OpenOptions } from '../../seal/files/open.ts'
import { type SealedFiles, sealedFiles } from '../../seal/files/sealed-files.ts'
import type { OpeningKey } from '../../seal/opening-key.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { findIdentity, type Identity, identityOf, openConnection } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { keyConfirmer } from './confirm-key.ts'
import { FileMemory } from './file-memory.ts'
import { readGroups } from './groups-file.ts'
import { nameRecipients, readSealer } from './recipients.ts'
import type { TrustOptions } from './trust-options.ts'

/** Sealed files as one key of the command line sees them. */
export interface SealedSession {
  readonly identity: Identity
  readonly connection: Connection
  readonly files: SealedFiles
  /** What `files` was made with, for others over the same connection. */
  readonly seal: SealOptions & { readonly memory: FileMemory }
  /** For calls that open. */
  readonly open: OpenOptions
}

/**
 * Connects as the key of the options, which opens and seals.
 * @param address whose bucket; `null` for the key's own
 * @param keys that open, in the place of those of the key
 */
export async function openSealed(
  context: CliContext,
  options: TrustOptions,
  address: string | null,
  keys?: readonly OpeningKey[],
): Promise<SealedSession> {
  const identity = await identityOf(context, options)
  const connection = await openConnection(context, options, address)
  return sessionOver(context, options, connection, identity, keys)
}

/** The same over a connection that is open already. @throws {CliError} `sealed` where there is no key to open with */
export async function sealedOver(
  context: CliContext,
  options: TrustOptions,
  connection: Connection,
): Promise<SealedSession> {
  const identity = await findIdentity(context, options)
  if (identity !== null) return sessionOver(context, options, connection, identity)
  throw new CliError('sealed', 'the file is sealed, and there is no key here to open it with', {
    hint: 'Name one: --as, or mandate profile set.',
  })
}

async function sessionOver(
  context: CliContext,
  options: TrustOptions & HubOptions,
  connection: Connection,
  identity: Identity,
  keys?: readonly OpeningKey[],
): Promise<SealedSession> {
  const { allowSealer = [] } = options
  const isAnybody = allowSealer.includes('anybody')
  const sealers = isAnybody ? [] : await Promise.all(allowSealer.map((who) => readSealer(context, who)))
  const seal = {
    keys: keys ?? (await identity.openingKeys()),
    memory: new FileMemory(context.folder),
    sealers,
    groups: await readGroups(context),
    confirmKey: keyConfirmer(context, options),
    onIndexError: ({ message }: Error) =>
      context.out.warn(`it is sealed and stored, but recipients could not be told of it: ${message}`),
  }
  const open = { signal: context.signal, ...(isAnybody ? { sealers: 'anybody' as const } : {}) }
  return { identity, connection, files: sealedFiles(connection, seal), seal, open }
}

/** Says on standard error whose key opened a file, and who sealed it. */
export async function noteOpened(
  context: CliContext,
  { sealedBy, contentBy, openedBy }: Unsealed,
): Promise<void> {
  if (sealedBy === undefined || openedBy === undefined) return
  const nameOf = await nameRecipients(context)
  const sealer = nameOf({ key: sealedBy, did: sealedBy })
  const writer =
    contentBy === undefined || contentBy === sealedBy
      ? ''
      : `, who says that the content is by ${nameOf({ key: contentBy, did: contentBy })}`
  // Names of groups and of authors are what the sealer wrote.
  context.out.note(printable(`opened by the key of ${nameOf(openedBy)}; sealed by ${sealer}${writer}`))
}
