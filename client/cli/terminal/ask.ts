import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { canAsk } from './output.ts'

/** Asks before something that cannot be undone. @throws {CliError} where the answer is no, or nobody can be asked */
export async function confirm(context: CliContext, question: string, isGiven: boolean): Promise<void> {
  if (isGiven) return
  const { stdin, stderr } = context.io
  if (!canAsk(stdin, stderr)) throw new CliError('usage', `${question} Nobody is there to ask: add --yes.`)
  const lines = createInterface({ input: stdin, output: stderr })
  try {
    const answer = await lines.question(`${question} [y/N] `, { signal: context.signal })
    if (!/^y(es)?$/i.test(answer.trim())) throw new CliError('failed', 'nothing was done')
  } finally {
    lines.close()
  }
}

/** One line that is not shown while it is typed. */
export async function askSecret(context: CliContext, question: string): Promise<string> {
  const { stdin, stderr } = context.io
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: stdin, output: silent, terminal: true })
  try {
    stderr.write(question)
    return await lines.question('', { signal: context.signal })
  } finally {
    lines.close()
    stderr.write('\n')
  }
}
