import { Command } from 'commander'
import { runCommand } from '../process/command.ts'

/** `mandate serve`: hub and reader in one process, with all that `mandate-serve` takes. */
export function serveCommand(): Command {
  return new Command('serve')
    .summary('Run a hub and a reader')
    .description('Runs hub and reader together in one process. All flags are those of mandate-serve.')
    .argument('[flags...]', 'see: mandate-serve --help')
    .allowUnknownOption()
    .passThroughOptions()
    .action((flags: string[]) => runCommand('both', flags))
}
