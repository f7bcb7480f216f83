import { Argument, type Command } from 'commander'
import { bashScript } from '../completion/bash.ts'
import { fishScript } from '../completion/fish.ts'
import { type CompletionNode, completionNodes } from '../completion/tree.ts'
import { zshScript } from '../completion/zsh.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'

const scripts: Readonly<Record<string, (program: string, nodes: readonly CompletionNode[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

export function completionCommand(context: CliContext): Command {
  const command = defineCommand('completion', {
    summary: 'Print a script that completes commands in a shell',
    examples: [
      ['source <(mandate completion bash)', 'in ~/.bashrc'],
      ['source <(mandate completion zsh)', 'in ~/.zshrc, after compinit'],
      ['mandate completion fish > ~/.config/fish/completions/mandate.fish', 'once'],
    ],
  })
  return command
    .addArgument(new Argument('<shell>', 'which one').choices(Object.keys(scripts)))
    .action((shell: string) => {
      const root = command.parent ?? command
      const script = scripts[shell]?.(root.name(), completionNodes(root)) ?? ''
      context.out.result({ shell, script }, script.trimEnd())
    })
}
