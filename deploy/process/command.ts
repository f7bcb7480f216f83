import { dirname } from 'node:path'
import { Command, CommanderError } from 'commander'
import { software } from '../../http/software.ts'
import { ConfigError } from './config/fault.ts'
import { loadConfig } from './config/load.ts'
import { printConfig } from './config/print.ts'
import type { Config, Kind } from './config/schema.ts'
import { flagName, rowsWithFlags } from './config/sources.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { flagHelp, keysHelp } from './help.ts'
import { StartError } from './start-error.ts'

const about: Record<Kind, { name: string; description: string }> = {
  hub: { name: 'mandate-hub', description: 'Runs the hub: the side that applications write to.' },
  reader: { name: 'mandate-reader', description: 'Runs the reader: the side that files are read from.' },
  both: { name: 'mandate-serve', description: 'Runs hub and reader together in one process.' },
}

/**
 * Runs one of the commands. Exit status: 0 after an orderly stop, 1 where it cannot start or fails, 2 for a
 * configuration or a command line that cannot be used.
 */
export async function runCommand(kind: Kind, argv: readonly string[]): Promise<void> {
  try {
    await buildCommand(kind).parseAsync([...argv], { from: 'user' })
  } catch (error) {
    process.exitCode = report(error)
  }
}

function buildCommand(kind: Kind): Command {
  const { name, description } = about[kind]
  const command = new Command(name)
    .description(description)
    .version(`${name} ${software.version}`, '--version', 'print the version and exit')
    .helpOption('--help', 'print this and exit')
    .option('--config <file>', 'configuration file, .json or .toml; also one of Gaia (CONFIG_PATH)')
    .option('--print-config', 'print the configuration in force, secrets masked, and exit')
    .option('--check-health', 'ask what runs by this configuration whether it can be used, and exit: 0 or 1')
    .addHelpText('after', keysHelp(kind))
    .showHelpAfterError(`  See: ${name} --help`)
    .exitOverride()
    .action(() => run(command, kind))
  for (const row of rowsWithFlags(kind)) command.option(row.flag, flagHelp(row, kind))
  // Positional: else a flag after `sweep` would be taken for the hub's own, and the sweep would not see it.
  if (kind === 'hub') command.enablePositionalOptions().addCommand(sweepCommand())
  return command
}

/** `mandate-hub sweep`: the same configuration, another job. */
function sweepCommand(): Command {
  const command = new Command('sweep')
    .description(
      'Removes grants and revocations a day after their delegation has expired. Hubs may be running.',
    )
    .helpOption('--help', 'print this and exit')
    .option('--config <file>', 'configuration file, as for the hub (CONFIG_PATH)')
    .option('--dry-run', 'tell what would be removed, and remove nothing')
    .showHelpAfterError('  See: mandate-hub sweep --help')
    .exitOverride()
    .action(async () => {
      const { dryRun = false } = command.opts<{ dryRun?: boolean }>()
      const { config, file } = readConfig(command, 'hub', false)
      const { runSweep } = await import('./sweep.ts')
      await runSweep(config, dryRun, file === null ? process.cwd() : dirname(file.path))
    })
  for (const row of rowsWithFlags('hub').filter(({ flag }) => sweepFlags.has(flagName(flag)))) {
    command.option(row.flag, flagHelp(row, 'hub'))
  }
  return command
}

/** Flags of the hub that say which storage is meant. */
const sweepFlags: ReadonlySet<string> = new Set(['--driver', '--data', '--durability', '--bucket'])

async function run(command: Command, kind: Kind): Promise<void> {
  const { printConfig: isToPrint, checkHealth: isToAsk } = command.opts<{
    printConfig?: true
    checkHealth?: true
  }>()
  const { config, file } = readConfig(command, kind, isToAsk !== true)
  if (isToPrint === true) {
    process.stdout.write(printConfig(config))
    return
  }
  if (isToAsk === true) {
    const { checkHealth } = await import('./check-health.ts')
    const isFine = await checkHealth(config, kind, (line) => process.stdout.write(`${line}\n`))
    process.exitCode = isFine ? 0 : 1
    return
  }
  // Loaded only now: help and faults need not wait for the servers.
  const { serve } = await import('./serve.ts')
  await serve({ config, kind, file: file?.path ?? null })
}

/** @throws {ConfigError} or a StartError for a file that cannot be read */
function readConfig(command: Command, kind: Kind, warn = true): { config: Config; file: ConfigFile | null } {
  const file = readConfigFile(command.optsWithGlobals<{ config?: string }>().config, process.env)
  const { config, warnings } = load(command, kind, file)
  if (warn) for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  return { config, file }
}

function load(command: Command, kind: Kind, file: ConfigFile | null) {
  return loadConfig({
    text: file?.text ?? null,
    format: file?.format ?? 'json',
    env: process.env,
    flags: flagsGiven(command, kind),
    kind,
  })
}

function flagsGiven(command: Command, kind: Kind): Map<string, string> {
  const flags = new Map<string, string>()
  for (const { flag } of rowsWithFlags(kind)) {
    const option = command.options.find(({ long }) => long === flagName(flag))
    const value: unknown =
      option === undefined ? undefined : command.optsWithGlobals()[option.attributeName()]
    if (typeof value === 'string') flags.set(flagName(flag), value)
  }
  return flags
}

/** Says why the command did not run; the exit status. */
function report(error: unknown): number {
  // Commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (error instanceof ConfigError) {
    process.stderr.write(`The configuration cannot be used:\n${indent(error.message)}\n`)
    return 2
  }
  if (error instanceof StartError) {
    process.stderr.write(`error: ${error.message}\n`)
    return error.kind === 'configuration' ? 2 : 1
  }
  process.stderr.write(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ')
}
