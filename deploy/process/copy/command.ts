import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  CliError,
  type CommandFactory,
  type CommonOptions,
  defineCommand,
} from '../../../client/cli/index.ts'
import { type Address, KeyError, parseAddress } from '../../../drivers/key.ts'
import { ConfigError } from '../config/fault.ts'
import { StartError } from '../start-error.ts'
import { CopyGivenUp } from './copy-storage.ts'
import { type CopyReport, conflictsIn, failuresIn } from './events.ts'
import { LedgerError } from './ledger.ts'
import { runCopy, usualRecord } from './run-copy.ts'
import { readSide, type Side } from './side.ts'
import { reportLines, Teller } from './tell.ts'
import type { Verification } from './transfer.ts'

interface Options extends CommonOptions {
  from: string
  to: string
  address?: Address[]
  dryRun?: boolean
  overwrite?: boolean
  delete?: boolean
  verify: Verification
  concurrency: number
  record?: string
}

/** `mandate copy`: moves addresses from one storage to another, whatever their drivers are. */
export const copyCommand: CommandFactory = (context) => {
  const command = defineCommand('copy', {
    summary: 'Copy addresses from one storage to another (for operators)',
    details: details.join('\n\n'),
    examples: [
      ['mandate copy --from disk.json --to s3.json --dry-run', 'tell what would be copied'],
      ['mandate copy --from disk.json --to s3.json', 'copy everything; run it again to go on'],
      [
        'mandate copy --from disk.json --to s3.json --address 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
        'copy one address',
      ],
    ],
  })
  addOptions(command)
  return command.action(async (options: Options) => {
    const sides = await asCliError(async () => ({
      from: readSide('FROM', context.pathOf(options.from), context.io.env),
      to: readSide('TO', context.pathOf(options.to), context.io.env),
    }))
    const record =
      options.record === undefined
        ? usualRecord(sides.from, sides.to, context.io.workingFolder)
        : context.pathOf(options.record)
    await copy(context, sides, record, options)
  })
}

const details = [
  'Both configurations are files of a hub, JSON or TOML. Variables of the environment count only with FROM_ or TO_ before their name: TO_GAIA_S3_SECRET_ACCESS_KEY.',
  'What owners have revoked goes first, then grants and files. What is at the destination and differs is left as it is and told of (exit status 4), unless an earlier run put it there and nobody changed it since. Hubs over both storages may be running.',
]

function addOptions(command: Command): void {
  command
    .requiredOption('--from <file>', 'configuration of the storage to copy from')
    .requiredOption('--to <file>', 'configuration of the storage to copy to')
    .option('--address <address...>', 'copy these addresses only', collectAddress)
    .option('--dry-run', 'tell what would be done, and change nothing')
    .option('--overwrite', "where both sides differ, take the source's; records about addresses excepted")
    .option('--delete', 'delete at the destination what an earlier run copied and the source has no more')
    .addOption(
      new Option(
        '--verify <how>',
        '"read": read back all that was written; "etag": but for what an etag proves',
      )
        .choices(['read', 'etag'])
        .default('read'),
    )
    .option('--concurrency <number>', 'files that are copied at once, 1 to 256', parseConcurrency, 8)
    .option(
      '--record <folder>',
      'where it is noted what was copied (default: ./mandate-copy-… for each two storages)',
    )
}

async function copy(
  context: Parameters<CommandFactory>[0],
  { from, to }: { from: Side; to: Side },
  record: string,
  options: Options,
): Promise<void> {
  const { dryRun = false, overwrite = false, delete: deleteGone = false, verify, concurrency } = options
  const { out, signal } = context
  out.note(`${dryRun ? 'Dry run: from' : 'From'} ${from.text} to ${to.text}; noted down in ${record}`)
  const teller = new Teller(context, dryRun)
  const report = await asCliError(async () => {
    try {
      const addresses = options.address ?? null
      const choices = { dryRun, overwrite, deleteGone, verify, concurrency, signal }
      return await runCopy({
        ...choices,
        from,
        to,
        addresses,
        record,
        onEvent: (event) => teller.event(event),
        progress: teller.progress,
      })
    } finally {
      teller.stop()
    }
  })
  out.result({ event: 'end', dryRun, ...report }, reportLines(report, dryRun))
  checkOutcome(report)
}

function checkOutcome(report: CopyReport): void {
  const [failures, conflicts] = [failuresIn(report), conflictsIn(report)]
  if (failures > 0) {
    throw new CliError('failed', `${failures} could not be copied`, { hint: 'Run it again to go on.' })
  }
  if (conflicts > 0) {
    throw new CliError('conflict', `${conflicts} differ at the destination and were left as they are`, {
      hint: 'With --overwrite the versions of the source take their place.',
    })
  }
}

async function asCliError<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof ConfigError) {
      throw new CliError('usage', `a configuration cannot be used: ${error.message}`, { cause: error })
    }
    if (error instanceof LedgerError) throw new CliError('usage', error.message, { cause: error })
    if (error instanceof StartError) {
      throw new CliError(error.kind === 'configuration' ? 'usage' : 'failed', error.message, { cause: error })
    }
    if (error instanceof CopyGivenUp) {
      const hint = 'What was copied stays; run it again to go on.'
      throw new CliError('failed', `given up after ${error.message}`, { cause: error, hint })
    }
    throw error
  }
}

function collectAddress(text: string, former: Address[] = []): Address[] {
  try {
    return [...former, parseAddress(text)]
  } catch (error) {
    if (error instanceof KeyError) throw new InvalidArgumentError(error.message)
    throw error
  }
}

function parseConcurrency(text: string): number {
  const number = /^[0-9]{1,3}$/.test(text) ? Number(text) : 0
  if (number < 1 || number > 256) throw new InvalidArgumentError('must be a number from 1 to 256')
  return number
}
