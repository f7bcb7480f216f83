import { expect } from 'chai'
import { type Block, blocksOf, type DocumentName } from './markdown.ts'
import type { Stage } from './stage.ts'

/** An example and what the document says that it prints: the `text` block that follows it, if one does. */
interface Example {
  block: Block
  expected: string | null
}

const divider = '@@ the next example @@'

/**
 * Runs the shell examples of a document in order, in one shell, as somebody would who reads it from top to bottom,
 * and compares what each prints. Commands of npm are another test's.
 */
export async function expectShellExamples(name: DocumentName, stage: Stage): Promise<void> {
  const examples = examplesOf(name, 'sh').filter(({ block }) => !/\bnpm\b/.test(block.text))
  const script = examples.map(({ block }) => `${block.text}\nprintf '%s\\n' '${divider}'\n`).join('')
  const { status, stdout, stderr } = await stage.run(['sh', '-eu'], script)
  const said = `${stdout}\n${stderr}`
  expect(status, said).to.equal(0)
  const outputs = stdout.split(`${divider}\n`)
  for (const [i, example] of examples.entries()) expectOutput(name, example, outputs[i] ?? '', said)
}

/** Runs each JavaScript example of a document as a module of its own. */
export async function expectScriptExamples(name: DocumentName, stage: Stage): Promise<void> {
  for (const example of examplesOf(name, 'js')) {
    const command = [process.execPath, '--input-type=module']
    const { status, stdout, stderr } = await stage.run(command, example.block.text)
    expect(status, stderr).to.equal(0)
    expectOutput(name, example, stdout, stderr)
  }
}

function examplesOf(name: DocumentName, language: string): Example[] {
  const blocks = blocksOf(name)
  return blocks.flatMap((block, i) => {
    if (block.language !== language) return []
    const next = blocks[i + 1]
    return [{ block, expected: next?.language === 'text' ? next.text : null }]
  })
}

function expectOutput(name: DocumentName, { block, expected }: Example, output: string, said: string): void {
  const where = `what line ${block.line} of ${name} prints`
  if (expected === null) expect(output.trim(), `${where}\n${said}`).to.equal('')
  else expect(output.trim(), where).to.match(pattern(expected.trim()))
}

/** Compares what an example printed with what a document says. */
export function expectLike(output: string, expected: string): void {
  expect(output.trim()).to.match(pattern(expected.trim()))
}

/** `…` stands for what differs from run to run, within a line. */
function pattern(expected: string): RegExp {
  const escaped = expected.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('…', '[^\\n]+?')}$`)
}
