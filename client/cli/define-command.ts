import { Command, Option } from 'commander'
import { standardHub } from './settings.ts'

export interface CommandText {
  /** One line for lists of commands. */
  summary: string
  /** Further paragraphs for the command's own help. */
  details?: string
  /** Command lines that work, each with what it does. */
  examples: readonly (readonly [line: string, does: string])[]
  /** Whether it speaks to a hub, and so has `--hub`, `--profile` and `--as`. */
  usesHub?: boolean
}

/** Where a command stands in the help of the whole program. */
export type CommandGroup = 'Files:' | 'Sealed files:' | 'Delegations:' | 'Keys and hubs:' | 'More:'

/** Heading of the options that many commands have. */
export const commonHeading = 'Common options:'

/**
 * A command with the options that all have, and help with examples. What it says goes through `context.out`, and a
 * failure is thrown as a `CliError` or an error of the SDK.
 */
export function defineCommand(name: string, text: CommandText): Command {
  const command = new Command(name).summary(text.summary)
  command.description(text.details === undefined ? `${text.summary}.` : `${text.summary}.\n\n${text.details}`)
  if (text.usesHub === true) addHubOptions(command)
  command.addOption(new Option('--json', 'print results as JSON, one object a line').helpGroup(commonHeading))
  command.addOption(new Option('-q, --quiet', 'no notes and no progress').helpGroup(commonHeading))
  if (text.examples.length > 0) command.addHelpText('after', () => examplesText(text.examples))
  return command
}

/** A command that only holds others. */
export function defineGroup(name: string, summary: string, commands: readonly Command[]): Command {
  const group = new Command(name).summary(summary).description(`${summary}.`)
  for (const command of commands) group.addCommand(command)
  return group
}

function addHubOptions(command: Command): void {
  const options = [
    new Option('--as <key>', 'name of the key to act as (default: that of the profile)'),
    new Option('--profile <name>', 'profile to use: a hub and a key (MANDATE_PROFILE)'),
    new Option(
      '--hub <url>',
      `hub to use (MANDATE_HUB_URL; default: that of the profile, else ${standardHub})`,
    ),
  ]
  for (const option of options) command.addOption(option.helpGroup(commonHeading))
}

function examplesText(examples: CommandText['examples']): string {
  const blocks = examples.map(([line, does]) => `  # ${does}\n  $ ${line}`)
  return `\nExamples:\n${blocks.join('\n\n')}\n`
}
