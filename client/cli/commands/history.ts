import type { Command } from 'commander'
import type { Connection } from '../../connection.ts'
import type { FormerVersion } from '../../files/history.ts'
import { rememberUnsealed, wasSealed } from '../../seal/files/trust.ts'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { FileMemory } from '../sealed/file-memory.ts'
import { sealedOver } from '../sealed/open-sealed.ts'
import type { Stored } from '../sealed/storing.ts'
import { addKeyOptions, addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { openConnection } from '../session.ts'
import { alignColumns } from '../terminal/output.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'
import { noteRecipients } from './share.ts'

interface RestoreOptions extends TrustOptions {
  plain?: boolean
}

export function historyCommand(context: CliContext): Command {
  return defineCommand('history', {
    summary: 'List the former versions of a file',
    details: 'The youngest comes first. Versions are kept by put and rm with --keep-history.',
    usesHub: true,
    examples: [['mandate history notes.txt', 'the versions, with their names']],
  })
    .argument('<path>', 'file: [owner:]path')
    .action(async (text: string, options: HubOptions) => {
      const { address, path } = await readFilePath(context, text)
      const connection = await openConnection(context, options, address)
      const versions = await connection.history(path, { signal: context.signal })
      if (versions.length === 0) throw new CliError('not-found', `no former version of ${text} is kept`)
      const rows = alignColumns(
        versions.map((version) => [
          versionName(version),
          replacedAt(version),
          formatBytes(version.size),
          version.contentType,
        ]),
      )
      for (const [i, version] of versions.entries()) {
        context.out.result({ version: versionName(version), ...version }, printable(rows[i] ?? ''))
      }
    })
}

export function restoreCommand(context: CliContext): Command {
  const command = defineCommand('restore', {
    summary: 'Bring back a former version of a file',
    details:
      'What is there now becomes a former version in its turn: nothing is lost. A sealed version is sealed anew for those who can open the present one.',
    usesHub: true,
    examples: [
      ['mandate restore notes.txt', 'the youngest former version'],
      ['mandate restore notes.txt 1763797212345', 'the one of that name; see history'],
    ],
  })
  return addKeyOptions(addSealerOptions(command))
    .argument('<path>', 'file: [owner:]path')
    .argument('[version]', 'name of the version (default: the youngest)')
    .option('--plain', 'bring back what all can read, even over a sealed file')
    .action(async (text: string, wanted: string | undefined, options: RestoreOptions) => {
      const { address, path } = await readFilePath(context, text)
      const connection = await openConnection(context, options, address)
      const versions = await connection.history(path, { signal: context.signal })
      const found =
        wanted === undefined ? versions[0] : versions.find((version) => versionName(version) === wanted)
      if (found === undefined) {
        throw new CliError(
          'not-found',
          wanted === undefined ? `no former version of ${text} is kept` : `${text} has no version ${wanted}`,
          {
            hint: `See: mandate history ${text}`,
          },
        )
      }
      const { etag, publicUrl, recipients } = await bringBack(context, options, connection, found)
      const sealed = recipients === undefined ? {} : { recipients }
      context.out.result(
        { path, version: versionName(found), etag, url: publicUrl, ...sealed },
        `restored ${printable(text)} as it was until ${replacedAt(found)}`,
      )
      if (recipients !== undefined) await noteRecipients(context, recipients)
    })
}

async function bringBack(
  context: CliContext,
  options: RestoreOptions,
  connection: Connection,
  version: FormerVersion,
): Promise<Stored> {
  if (version.contentType !== sealedType) return bringBackPlain(context, options, connection, version)
  const { files, open } = await sealedOver(context, options, connection)
  return files.restore(version, open)
}

/** What a storage shows as history may be anything: what was sealed is not replaced by it unless that is said. */
async function bringBackPlain(
  { folder, signal }: CliContext,
  { plain = false }: RestoreOptions,
  connection: Connection,
  version: FormerVersion,
): Promise<Stored> {
  const memory = new FileMemory(folder)
  const place = { address: connection.address, path: version.of }
  const there = plain ? null : await connection.head(version.of, { signal })
  if (!plain && (there?.contentType === sealedType || (await wasSealed(memory, place)))) {
    throw new CliError('conflict', `${version.of} is sealed, and that version is for all to read`, {
      hint: 'To bring it back all the same: --plain.',
    })
  }
  const restored = await connection.restore(version, { signal })
  await rememberUnsealed(memory, place, connection.transport.now())
  return restored
}

async function readFilePath(context: CliContext, text: string) {
  const remote = await readRemotePath(context, text)
  if (isFolderPath(remote)) throw new CliError('usage', `${text} is a folder; versions are kept of files`)
  return remote
}

/** `<ms>.<10 alphanumerics>`: what tells one version from the others (PROTOCOL 1.4). */
function versionName({ path }: FormerVersion): string {
  return /\.history\.(\d+\.[A-Za-z0-9]{10})\./.exec(path)?.[1] ?? path
}

function replacedAt({ replacedMs }: FormerVersion): string {
  return `${new Date(replacedMs).toISOString().slice(0, 19).replace('T', ' ')}Z`
}
