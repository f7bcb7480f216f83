import type { CompletionNode } from './tree.ts'

/** A completion script for bash 3.2 and later (that of macOS). */
export function bashScript(program: string, nodes: readonly CompletionNode[]): string {
  const cases = nodes.map((node) => `    '${node.words.join(' ')}') ${caseBody(node)} ;;`)
  const values = nodes.flatMap(valueCases)
  return `# Completion of ${program} for bash: source <(${program} completion bash)
_${program}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} at='' words='' files='' next i
  for ((i = 1; i < COMP_CWORD; i++)); do
    next=\${COMP_WORDS[i]}
    case " $(_${program}_commands "$at") " in *" $next "*) at=\${at:+$at }$next ;; esac
  done
  case "$at $before" in
${values.join('\n')}
  esac
  case "$at" in
${cases.join('\n')}
  esac
  if [ -n "$files" ] && [ "\${word#-}" = "$word" ]; then
    COMPREPLY=($(compgen -f -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
_${program}_commands() {
  case "$1" in
${nodes.map((node) => `    '${node.words.join(' ')}') echo '${names(node.commands)}' ;;`).join('\n')}
  esac
}
complete -o filenames -F _${program} ${program}
`
}

function caseBody({ commands, options, choices, takesArguments }: CompletionNode): string {
  const words = [
    ...choices,
    ...commands.map(({ name }) => name),
    ...options.flatMap((option) => option.names),
  ]
  return `words='${words.join(' ')}'${takesArguments ? ' files=1' : ''}`
}

/** After an option whose values are known, only those are offered. */
function valueCases({ words, options }: CompletionNode): string[] {
  return options.flatMap(({ names: optionNames, choices }) =>
    choices.length === 0
      ? []
      : optionNames.map(
          (name) =>
            `    '${words.join(' ')} ${name}') COMPREPLY=($(compgen -W '${choices.join(' ')}' -- "$word")); return ;;`,
        ),
  )
}

function names(commands: CompletionNode['commands']): string {
  return commands.map(({ name }) => name).join(' ')
}
