import { Command, CommanderError } from 'commander'
import { software } from '../../http/software.ts'
import { ConfigError } from './config/fault.ts'
import { loadConfig } from './config/load.ts'
import { printConfig } from './config/print.ts'
import type { Kind } from './config/schema.ts'
import { flagName, rowsWithFlags } from './config/sources.ts'
import { type ConfigFile, readConfigFile } from './config-file.ts'
import { flagHelp, keysHelp } from './help.ts'
import { StartError } from './start-error.ts'

const about: Record<Kind, { name: string; description: string }> = {
  hub: { name: 'mandate-hub', description: 'Runs the hub: the side that applications write to.' },
  reader: { name: 'mandate-reader', description: 'Runs the reader: the side that files are read from.' },
  both: { name: 'mandate', description: 'Runs hub and reader together in one process.' },
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
    .addHelpText('after', keysHelp(kind))
    .exitOverride()
    .action(() => run(command, kind))
  for (const row of rowsWithFlags(kind)) command.option(row.flag, flagHelp(row, kind))
  return command
}

async function run(command: Command, kind: Kind): Promise<void> {
  const { config: named, printConfig: onlyPrint } = command.opts<{ config?: string; printConfig?: true }>()
  const file = readConfigFile(named, process.env)
  const { config, warnings } = load(command, kind, file)
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`)
  if (onlyPrint === true) {
    process.stdout.write(printConfig(config))
    return
  }
  // Loaded only now: help and faults need not wait for the servers.
  const { serve } = await import('./serve.ts')
  await serve({ config, kind, file: file?.path ?? null })
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
    const value: unknown = option === undefined ? undefined : command.opts()[option.attributeName()]
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
