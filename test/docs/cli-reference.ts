import { PassThrough } from 'node:stream'
import type { Command } from 'commander'
import { createContext } from '../../client/cli/context.ts'
import { exitCodes } from '../../client/cli/exit-codes.ts'
import { buildProgram } from '../../client/cli/program.ts'
import { extraCommands } from '../../deploy/cli/mandate.ts'

/** Where the reference stands in docs/cli.md. */
export const referenceHeading = '## Reference\n'

/** The program with all of its commands, talking to nobody. */
export function documentedProgram(): Command {
  const context = createContext({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    env: {},
    homeFolder: '/home/alice',
    workingFolder: '/home/alice',
    version: '0.0.0',
    extraCommands,
  })
  return buildProgram(context)
}

/** The part of docs/cli.md that the tree of commands says, as Markdown. */
export function cliReference(): string {
  const commands = leaves(documentedProgram())
  return [
    'Written from the program itself (`npm run docs:cli`); `mandate help <command>` says the same.',
    '### Exit status',
    exitTable(),
    ...commands.map(({ words, command }) => commandText(words, command)),
  ].join('\n\n')
}

interface Leaf {
  readonly words: string
  readonly command: Command
}

/** The commands that do something, in the order of the help. */
function leaves(command: Command, words = 'mandate'): Leaf[] {
  if (command.commands.length === 0) return [{ words, command }]
  return command.commands.flatMap((child) => leaves(child, `${words} ${child.name()}`))
}

function exitTable(): string {
  const rows = Object.values(exitCodes).map(({ status, means }) => `| ${status} | ${means} |`)
  return ['| status | means |', '|---|---|', ...rows].join('\n')
}

function commandText(words: string, command: Command): string {
  const usage = `${words} ${command.usage()}`.replace('[options] ', '')
  const parts = [`### ${words}`, `\`${usage}\``, command.description()]
  const args = command.registeredArguments.filter(({ description }) => description !== '')
  const rows = [
    ...args.map((argument) =>
      row(`${argument.variadic ? `${argument.name()}…` : argument.name()}`, argument.description),
    ),
    ...command.options.filter(isOwn).map((option) => row(option.flags, optionText(option))),
  ]
  if (rows.length > 0) parts.push(['| | |', '|---|---|', ...rows].join('\n'))
  const examples = helpAfter(command)
  if (examples !== '') parts.push(`\`\`\`console\n${examples}\n\`\`\``)
  return parts.join('\n\n')
}

/** Those that every command has are told once, in the text. */
function isOwn({ helpGroupHeading }: { helpGroupHeading?: string }): boolean {
  return helpGroupHeading === undefined
}

function optionText(option: Command['options'][number]): string {
  const { description, argChoices, defaultValue, defaultValueDescription = String(defaultValue) } = option
  return [
    description,
    ...(argChoices === undefined ? [] : [`one of ${argChoices.join(', ')}`]),
    ...(defaultValue === undefined ? [] : [`default ${defaultValueDescription}`]),
  ].join('; ')
}

function row(name: string, description: string): string {
  const told = description.replace(/[|<]/g, (character) => `\\${character}`)
  return `| \`${name.replaceAll('|', '\\|')}\` | ${told} |`
}

/** The examples of the help, without their heading. */
function helpAfter(command: Command): string {
  let text = ''
  command.configureOutput({
    writeOut: (part) => {
      text += part
    },
  })
  command.outputHelp()
  const [, examples = ''] = text.split('\nExamples:\n')
  return examples.replace(/^ {2}/gm, '').trim()
}
