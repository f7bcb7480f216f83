import { homedir } from 'node:os'
import { type CommandFactory, exitCodes, runCli } from '../../client/cli/index.ts'
import { software } from '../../http/software.ts'
import { copyCommand } from '../process/copy/command.ts'
import { serveCommand } from './serve-command.ts'

/** Commands that need more than the client: servers and drivers. */
export const extraCommands: readonly CommandFactory[] = [serveCommand, copyCommand]

/** The program `mandate` in this process; its exit status is that of the process. */
export async function runMandate(argv: readonly string[]): Promise<void> {
  endQuietlyOnBrokenPipe()
  const status = await runCli(
    {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      env: process.env,
      homeFolder: homedir(),
      workingFolder: process.cwd(),
      version: software.version,
      signal: interruption(),
      extraCommands,
    },
    argv,
  )
  // Whatever still waits, for its next try for instance, is not waited for.
  if (status === exitCodes.interrupted.status) process.exit(status)
  // A status that a command has set for a later end, a server's, stays.
  if (status !== 0) process.exitCode = status
}

/** The first Ctrl-C ends what is under way in order, so that it can go on later; the second one ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => controller.abort())
  return controller.signal
}

/** `mandate ls | head`: who reads has read enough. */
function endQuietlyOnBrokenPipe(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
}
