import { Command, Help, Option } from 'commander'
import { commandGroups } from './commands/index.ts'
import type { CliContext } from './context.ts'
import { commonHeading } from './define-command.ts'
import { exitCodes } from './exit-codes.ts'
import { printable } from './terminal/style.ts'

/**
 * The whole tree of commands. Parsing it throws instead of ending the process; {@link runCli} of run.ts runs it as a
 * program does.
 */
export function buildProgram(context: CliContext): Command {
  const { io } = context
  const program = new Command('mandate')
    .description('Stores files at a Mandate hub, and lets others write to a part of what is yours.')
    .version(`mandate ${io.version}`, '--version', 'print the version')
    .enablePositionalOptions()
    .commandsGroup('More:')
    .helpCommand('help [command]', 'help for a command')
    .addHelpText('after', () => `\n${exitCodesHelp()}\n`)
  for (const { heading, commands } of commandGroups(context)) {
    for (const command of commands) program.addCommand(command.helpGroup(heading))
  }
  for (const make of io.extraCommands ?? []) {
    const command = make(context)
    program.addCommand(command.helpGroup() === '' ? command.helpGroup('More:') : command)
  }
  settleAll(program, context)
  program.hook('preAction', (_, command) => {
    const { json = false, quiet = false } = command.opts<{ json?: boolean; quiet?: boolean }>()
    context.out.json = json
    context.out.quiet = quiet
  })
  return program
}

/** What every command of the tree has, however it was made. */
function settleAll(command: Command, context: CliContext): void {
  const { stdout, stderr } = context.io
  const isCommon = ({ helpGroupHeading }: Option) => helpGroupHeading === commonHeading
  const help = new Option('-h, --help', 'print help')
  const standard = new Help()
  // What is a command's own comes first in its help.
  const visibleOptions = (one: Command) => {
    const options = standard.visibleOptions(one)
    return [...options.filter((option) => !isCommon(option)), ...options.filter(isCommon)]
  }
  const groupItems: Help['groupItems'] = (_, visible, groupOf) =>
    standard.groupItems(visible, visible, groupOf)
  command
    .exitOverride()
    .addHelpOption(command.options.some(isCommon) ? help.helpGroup(commonHeading) : help)
    .configureHelp({ styleTitle: (title) => context.out.paint('bold', title), visibleOptions, groupItems })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      // Told by runCli, like every other failure.
      outputError: () => undefined,
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
      getOutHasColors: () => context.out.paint('bold', '') !== '',
      getErrHasColors: () => context.out.paint('bold', '') !== '',
    })
  for (const child of command.commands) settleAll(child, context)
}

function exitCodesHelp(): string {
  const rows = Object.values(exitCodes).map(
    ({ status, means }) => `  ${String(status).padStart(3)}  ${means}`,
  )
  return ['Exit status:', ...rows].join('\n')
}

/** The words that lead to a command: `mandate key new`. */
export function commandPath(command: Command): string {
  const words: string[] = []
  for (let at: Command | null = command; at !== null; at = at.parent) words.unshift(at.name())
  return printable(words.join(' '))
}
