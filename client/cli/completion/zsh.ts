import type { CompletionNode, CompletionOption } from './tree.ts'

/** A completion script for zsh: a function for each command. */
export function zshScript(program: string, nodes: readonly CompletionNode[]): string {
  return `#compdef ${program}
# Completion of ${program} for zsh: source <(${program} completion zsh)
${nodes.map((node) => functionOf(program, node)).join('\n')}
compdef _${program} ${program}
`
}

function functionOf(program: string, node: CompletionNode): string {
  const options = node.options.flatMap(optionSpecs)
  if (node.commands.length === 0) {
    const rest = node.takesArguments ? ["'*:file:_files'"] : choiceSpec(node)
    return `${nameOf(program, node.words)}() {\n  _arguments -s ${[...options, ...rest].join(' \\\n    ')}\n}`
  }
  const described = node.commands.map(
    ({ name, summary }) => `    ${quote(`${name}:${summary.replaceAll(':', '\\:')}`)}`,
  )
  const calls = node.commands
    .filter(({ name }) => name !== 'help')
    .map(({ name }) => `    ${name}) ${nameOf(program, [...node.words, name])} ;;`)
  return `${nameOf(program, node.words)}() {
  local state line
  _arguments -C ${options.join(' \\\n    ')} '1: :->command' '*:: :->rest'
  case $state in
  command)
    local -a commands=(
${described.join('\n')}
    )
    _describe command commands ;;
  rest)
    case $line[1] in
${calls.join('\n')}
    esac ;;
  esac
}`
}

function optionSpecs({ names, summary, takesValue, choices }: CompletionOption): string[] {
  const told = summary.replaceAll(/[[\]\\]/g, (character) => `\\${character}`).replaceAll(':', '\\:')
  const values = choices.length > 0 ? `(${choices.join(' ')})` : '_files'
  return names.map((name) => quote(`*${name}[${told}]${takesValue ? `:value:${values}` : ''}`))
}

function choiceSpec({ choices }: CompletionNode): string[] {
  return choices.length === 0 ? [] : [quote(`1:choice:(${choices.join(' ')})`)]
}

function nameOf(program: string, words: readonly string[]): string {
  return ['', program, ...words].join('_').replaceAll('-', '_')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
