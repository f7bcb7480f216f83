import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import type { Out } from '../io.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { noteOpened, sealedOver } from '../sealed/open-sealed.ts'
import { refusePlain } from '../sealed/opening-source.ts'
import { addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { openReading } from '../session.ts'

export function catCommand(context: CliContext): Command {
  const command = defineCommand('cat', {
    summary: 'Print files as they are',
    details:
      'Bytes go to standard output unchanged, whatever they are. Needs no key where the owner is named. What is sealed for the key that acts is opened; standard error tells whose key opened it and who sealed it.',
    usesHub: true,
    examples: [
      ['mandate cat notes/todo.txt', 'on the screen'],
      ['mandate cat 1PQ…:backups/shop.sql | psql shop', 'of anybody'],
    ],
  })
  return addSealerOptions(command)
    .argument('<paths...>', 'what to print: [owner:]path')
    .action(async (texts: string[], options: TrustOptions) => {
      for (const text of texts) await print(context, text, options)
    })
}

async function print(context: CliContext, text: string, options: TrustOptions): Promise<void> {
  const source = await readRemotePath(context, text)
  if (isFolderPath(source)) throw new CliError('usage', `${text} is a folder`)
  const connection = await openReading(context, options, source.address)
  const stored = await connection.get(source.path, { asStream: true, signal: context.signal })
  if (stored.contentType !== sealedType) {
    await refusePlain(context, options, { address: connection.address, path: source.path })
    return pipeTo(stored.stream, context.io.stdout)
  }
  await stored.stream.cancel()
  const { files, open } = await sealedOver(context, options, connection)
  const file = await files.stream(source.path, open)
  await noteOpened(context, file)
  await pipeTo(file.stream, context.io.stdout)
}

/** Leaves standard output open for what follows. */
async function pipeTo(stream: ReadableStream<Uint8Array>, out: Out): Promise<void> {
  await pipeline(Readable.fromWeb(stream as Parameters<typeof Readable.fromWeb>[0]), out, { end: false })
}
