import { type Command, CommanderError } from 'commander'
import { createContext } from './context.ts'
import { exitCodes } from './exit-codes.ts'
import type { CliOptions } from './io.ts'
import { buildProgram, commandPath } from './program.ts'
import { failureOf, reportFailure } from './report-error.ts'

/**
 * Runs one command line as a program does, in this process: results on `stdout`, everything else on `stderr`.
 * @param argv what stands behind the program's name
 * @returns the exit status, one of {@link exitCodes}
 */
export async function runCli(options: CliOptions, argv: readonly string[]): Promise<number> {
  const context = createContext(options)
  // Before the command is known: a slip of the command line is told in the form that was asked for, too.
  context.out.json = argv.includes('--json')
  const program = buildProgram(context)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return exitCodes.ok.status
  } catch (error) {
    // Help and version were asked for, and have been printed.
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok.status
    // A group without a command: its help is on stderr already.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.usage.status
    if (isBrokenPipe(error)) return exitCodes.ok.status
    const failure = failureOf(error, options.signal)
    const hint = failure.hint ?? (error instanceof CommanderError ? helpHint(program, argv) : undefined)
    return reportFailure({ ...failure, ...(hint === undefined ? {} : { hint }) }, context.out)
  }
}

function helpHint(program: Command, argv: readonly string[]): string {
  let at = program
  for (const word of argv) {
    const next = at.commands.find((command) => command.name() === word)
    if (next === undefined) break
    at = next
  }
  return `See: ${commandPath(at)} --help`
}

/** Who reads what is printed has read enough, as `head` does. */
function isBrokenPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === 'EPIPE'
}
