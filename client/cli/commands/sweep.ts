import { type Command, InvalidArgumentError, Option } from 'commander'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { readRemotePath } from '../remote-path.ts'
import { openSealed } from '../sealed/open-sealed.ts'
import { printable } from '../terminal/style.ts'
import { parseDuration } from '../terminal/units.ts'

interface SweepOptions extends HubOptions {
  olderThan: number
}

export function sweepCommand(context: CliContext): Command {
  return defineCommand('sweep', {
    summary: 'Delete what broken-off writes of sealed files have left',
    details:
      'Contents that no sealed file names, present or former. They do no harm, and take up room. Younger ones may belong to a write that is under way, and stay.',
    usesHub: true,
    examples: [['mandate sweep', 'everything of your own']],
  })
    .argument('[path]', 'folder: [owner:]path (default: your own bucket)')
    .addOption(
      new Option('--older-than <time>', 'how old they must be, as 12h or 2d')
        .argParser(readAge)
        .default(86_400, '1d'),
    )
    .action(async (text: string | undefined, options: SweepOptions) => {
      const { address, path } = await readRemotePath(context, text ?? '')
      const { files } = await openSealed(context, options, address)
      const settings = { signal: context.signal, minAgeMs: options.olderThan * 1000 }
      const deleted = await files.sweep(path, settings)
      for (const one of deleted) context.out.result({ path: one, deleted: true }, `deleted ${printable(one)}`)
      if (deleted.length === 0) context.out.note('Nothing was left over.')
    })
}

function readAge(text: string): number {
  const seconds = parseDuration(text)
  if (seconds === null) throw new InvalidArgumentError('It is a span of time, as 12h or 2d.')
  return seconds
}
