import type { Command } from 'commander'

/** What a shell needs to know of a command to complete it. */
export interface CompletionNode {
  /** Words behind the program's name; empty for the program itself. */
  readonly words: readonly string[]
  readonly summary: string
  readonly options: readonly CompletionOption[]
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  /** Whether it takes arguments, which may be files. */
  readonly takesArguments: boolean
  /** What its argument may be, where that is one of a few. */
  readonly choices: readonly string[]
}

export interface CompletionOption {
  /** `--as`, and `-r` where it has a short form. */
  readonly names: readonly string[]
  readonly summary: string
  readonly takesValue: boolean
  /** The values that it may have, where they are few. */
  readonly choices: readonly string[]
}

/** Every command of a tree, the program first. */
export function completionNodes(command: Command, words: readonly string[] = []): CompletionNode[] {
  const commands = command.commands.map((child) => ({ name: child.name(), summary: child.summary() }))
  const options = command.options
    .filter(({ hidden }) => !hidden)
    .map((option) => ({
      names: [option.long, option.short].flatMap((name) => name ?? []),
      summary: option.description,
      takesValue: !option.isBoolean(),
      choices: option.argChoices ?? [],
    }))
  const help = { names: ['--help', '-h'], summary: 'print help', takesValue: false, choices: [] }
  const node: CompletionNode = {
    words,
    summary: command.summary(),
    options: [...options, help],
    commands: words.length === 0 ? [...commands, { name: 'help', summary: 'help for a command' }] : commands,
    takesArguments: command.registeredArguments.some(({ argChoices }) => argChoices === undefined),
    choices: command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices),
  }
  return [node, ...command.commands.flatMap((child) => completionNodes(child, [...words, child.name()]))]
}
