import type { Command } from 'commander'
import type { FileInfo } from '../../files/file.ts'
import { isContentPath } from '../../seal/files/content-path.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { readRemotePath } from '../remote-path.ts'
import { openConnection } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes, formatTime } from '../terminal/units.ts'

interface LsOptions extends HubOptions {
  long?: boolean
  history?: boolean
  all?: boolean
}

export function lsCommand(context: CliContext): Command {
  return defineCommand('ls', {
    summary: 'List files',
    details:
      'Lists everything below a folder, in the order of the names. Without a slash at its end, the path is the beginning of the names to list.',
    usesHub: true,
    examples: [
      ['mandate ls', 'everything of your own'],
      ['mandate ls -l photos/', 'with sizes and times'],
      [
        'mandate ls alice:photos/2026-',
        'those of somebody else that begin so; needs gaia/list in what you were given',
      ],
    ],
  })
    .argument('[path]', 'folder, or beginning of names: [owner:]path')
    .option('-l, --long', 'size, time, type')
    .option('--history', 'former versions too')
    .option('-a, --all', 'what belongs to sealed files too: contents, published keys, the index')
    .action(async (text: string | undefined, options: LsOptions) => {
      const { address, path } = await readRemotePath(context, text ?? '')
      const connection = await openConnection(context, options, address)
      let count = 0
      const found = { prefix: path, signal: context.signal }
      // Sizes and times cost the hub a look at each file: they are asked for only where they are shown.
      const files =
        options.long || options.json ? connection.list({ ...found, stat: true }) : connection.list(found)
      for await (const file of files) {
        const name = typeof file === 'string' ? file : file.path
        if (options.history !== true && isHistory(name)) continue
        if (options.all !== true && isHidden(name, path)) continue
        count += 1
        if (typeof file === 'string') context.out.result({ path: file }, printable(file))
        else context.out.result(file, longLine(file))
      }
      if (count === 0 && path !== '') throw nothingThere(text ?? '')
      if (count === 0) context.out.note('Nothing is stored here.')
    })
}

function longLine({ path, size, modifiedMs, contentType }: FileInfo): string {
  const columns = [
    formatBytes(size).padStart(9),
    formatTime(modifiedMs / 1000),
    printable(contentType).padEnd(24),
  ]
  return `${columns.join('  ')}  ${printable(path)}`
}

function nothingThere(text: string): CliError {
  return new CliError('not-found', `nothing is stored below ${text}`)
}

/** Whether a name is that of a former version (PROTOCOL 1.4). */
export function isHistory(path: string): boolean {
  return /^\.history\.\d+\.[A-Za-z0-9]{10}\../.test(path.slice(path.lastIndexOf('/') + 1))
}

/** Whether a name is one of those that sealed files are made of; where a folder of them is named, it is not. */
export function isHidden(path: string, prefix: string): boolean {
  const isOwn = path.startsWith('.mandate/') && !prefix.startsWith('.mandate/')
  return isOwn || (isContentPath(path) && !/(^|\/)\.sealed\//.test(prefix))
}
