import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import type { Out } from '../io.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { openReading } from '../session.ts'

export function catCommand(context: CliContext): Command {
  return defineCommand('cat', {
    summary: 'Print files as they are',
    details:
      'Bytes go to standard output unchanged, whatever they are. Needs no key where the owner is named.',
    usesHub: true,
    examples: [
      ['mandate cat notes/todo.txt', 'on the screen'],
      ['mandate cat 1PQ…:backups/shop.sql | psql shop', 'of anybody'],
    ],
  })
    .argument('<paths...>', 'what to print: [owner:]path')
    .action(async (texts: string[], options: HubOptions) => {
      for (const text of texts) await print(context, text, options)
    })
}

async function print(context: CliContext, text: string, options: HubOptions): Promise<void> {
  const source = await readRemotePath(context, text)
  if (isFolderPath(source)) throw new CliError('usage', `${text} is a folder`)
  const connection = await openReading(context, options, source.address)
  const { stream } = await connection.get(source.path, { asStream: true, signal: context.signal })
  await pipeTo(stream, context.io.stdout)
}

/** Leaves standard output open for what follows. */
async function pipeTo(stream: ReadableStream<Uint8Array>, out: Out): Promise<void> {
  await pipeline(Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]), out, { end: false })
}
