import type { In, Out } from '../io.ts'
import { type Paint, paintFor, printable } from './style.ts'

export interface OutputOptions {
  stdout: Out
  stderr: Out
  env: Readonly<Record<string, string | undefined>>
}

/**
 * What a command says. Results go to standard output: as text for people, or with `--json` as one JSON object a line.
 * Everything else (notes, warnings, errors, progress) goes to standard error, so that results can be piped.
 */
export class Output {
  readonly stdout: Out
  readonly stderr: Out
  /** Colours for results, off where they do not go to a terminal. */
  readonly paint: Paint
  readonly paintError: Paint
  /** Set from the options of the command that runs. */
  json = false
  quiet = false

  constructor({ stdout, stderr, env }: OutputOptions) {
    this.stdout = stdout
    this.stderr = stderr
    this.paint = paintFor(stdout, env)
    this.paintError = paintFor(stderr, env)
  }

  /** One result: `value` for scripts, or else the lines for people. */
  result(value: object, lines: string | readonly string[]): void {
    if (this.json) this.#print(this.stdout, JSON.stringify(value))
    else for (const line of typeof lines === 'string' ? [lines] : lines) this.#print(this.stdout, line)
  }

  /** A remark for people, kept back with `--quiet` and `--json`. */
  note(text: string): void {
    if (!this.quiet && !this.json) this.#print(this.stderr, text)
  }

  /** Something that went not quite as asked. */
  warn(text: string): void {
    this.#print(this.stderr, `${this.paintError('yellow', 'warning:')} ${printable(text)}`)
  }

  error(text: string, hint?: string): void {
    this.#print(this.stderr, `${this.paintError('red', 'error:')} ${printable(text)}`)
    if (hint !== undefined) this.#print(this.stderr, `  ${printable(hint)}`)
  }

  /** An error for scripts. */
  jsonError(value: object): void {
    this.#print(this.stderr, JSON.stringify({ error: value }))
  }

  #print(out: Out, line: string): void {
    out.write(`${line}\n`)
  }
}

/** Columns side by side, two spaces apart; the last one is not padded. */
export function alignColumns(
  rows: readonly (readonly string[])[],
  right: ReadonlySet<number> = new Set(),
): string[] {
  const widths: number[] = []
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length)
  return rows.map((row) =>
    row
      .map((cell, i) => {
        if (right.has(i)) return cell.padStart(widths[i] ?? 0)
        return i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)
      })
      .join('  '),
  )
}

/** Whether questions can be asked: somebody sits there and sees them. */
export function canAsk(stdin: In, stderr: Out): boolean {
  return stdin.isTTY === true && stderr.isTTY === true
}
