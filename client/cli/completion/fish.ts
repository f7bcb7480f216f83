import type { CompletionNode, CompletionOption } from './tree.ts'

/** A completion script for fish: one line for each word that may stand. */
export function fishScript(program: string, nodes: readonly CompletionNode[]): string {
  return `# Completion of ${program} for fish: ${program} completion fish | source
${nodes.flatMap((node) => linesOf(program, node, groupsOf(nodes))).join('\n')}
`
}

/** Commands that only hold others: a word below one may be that of a command of its own, too. */
function groupsOf(nodes: readonly CompletionNode[]): string[] {
  return nodes
    .filter(({ words, commands }) => words.length === 1 && commands.length > 0)
    .flatMap(({ words }) => words)
}

function linesOf(program: string, node: CompletionNode, groups: readonly string[]): string[] {
  const head = `complete -c ${program} -n ${quote(conditionOf(node, groups))}`
  return [
    ...(node.commands.length > 0 || !node.takesArguments ? [`${head} -f`] : []),
    ...node.commands.map(({ name, summary }) => `${head} -a ${name} -d ${quote(summary)}`),
    ...(node.choices.length === 0 ? [] : [`${head} -a ${quote(node.choices.join(' '))}`]),
    ...node.options.map((option) => `${head} ${optionText(option)}`),
  ]
}

/** Where all words of the command have been typed, and none of a command below it. */
function conditionOf({ words, commands }: CompletionNode, groups: readonly string[]): string {
  if (words.length === 0) return '__fish_use_subcommand'
  const seen = words.map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = commands.map(({ name }) => name)
  const others = words.length === 1 ? groups.filter((group) => group !== words[0]) : []
  const absent = [...below, ...others].join(' ')
  return [...seen, ...(absent === '' ? [] : [`not __fish_seen_subcommand_from ${absent}`])].join('; and ')
}

function optionText({ names, summary, takesValue, choices }: CompletionOption): string {
  const forms = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`))
  const value = takesValue ? (choices.length > 0 ? ` -x -a ${quote(choices.join(' '))}` : ' -r') : ''
  return `${forms.join(' ')}${value} -d ${quote(summary)}`
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
