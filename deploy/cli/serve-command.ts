import { Command } from 'commander'

/** `mandate serve`: hub and reader in one process, with all that `mandate-serve` takes. */
export function serveCommand(): Command {
  return new Command('serve')
    .summary('Run a hub and a reader')
    .description('Runs hub and reader together in one process. All flags are those of mandate-serve.')
    .argument('[flags...]', 'see: mandate-serve --help')
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (flags: string[]) => {
      // Loaded only now: no other command needs the servers and their configuration.
      const { runCommand } = await import('../process/command.ts')
      await runCommand('both', flags)
    })
}
