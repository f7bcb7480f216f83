import type { Command } from 'commander'
import type { FormerVersion } from '../../files/history.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { openConnection } from '../session.ts'
import { alignColumns } from '../terminal/output.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'

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
  return defineCommand('restore', {
    summary: 'Bring back a former version of a file',
    details: 'What is there now becomes a former version in its turn: nothing is lost.',
    usesHub: true,
    examples: [
      ['mandate restore notes.txt', 'the youngest former version'],
      ['mandate restore notes.txt 1763797212345', 'the one of that name; see history'],
    ],
  })
    .argument('<path>', 'file: [owner:]path')
    .argument('[version]', 'name of the version (default: the youngest)')
    .action(async (text: string, wanted: string | undefined, options: HubOptions) => {
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
      const { etag, publicUrl } = await connection.restore(found, { signal: context.signal })
      context.out.result(
        { path, version: versionName(found), etag, url: publicUrl },
        `restored ${printable(text)} as it was until ${replacedAt(found)}`,
      )
    })
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
