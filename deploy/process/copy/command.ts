import { type Command, InvalidArgumentError, Option } from 'commander'
import { type CommandFactory, type CommonOptions, defineCommand } from '../../../client/cli/index.ts'
import { type Address, KeyError, parseAddress } from '../../../drivers/key.ts'
import type { Verification } from './transfer.ts'

export interface CopyCommandOptions extends CommonOptions {
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
  return command.action(async (options: CopyCommandOptions) => {
    // Loaded only now: other commands of the program need neither drivers nor configurations.
    const { carryOutCopy } = await import('./carry-out.ts')
    await carryOutCopy(context, options)
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
