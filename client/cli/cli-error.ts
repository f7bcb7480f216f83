import type { ExitName } from './exit-codes.ts'

export interface CliErrorOptions {
  cause?: unknown
  /** Members for `--json`: the etag in force, for instance. Never a key or a token. */
  details?: Record<string, unknown>
  /** What to do about it; printed on a line of its own. */
  hint?: string
}

/** A command that cannot be done, with the status that it ends with. `message` never holds a key or a token. */
export class CliError extends Error {
  readonly exit: ExitName
  readonly details: Record<string, unknown>
  readonly hint: string | undefined

  constructor(exit: ExitName, message: string, options: CliErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'CliError'
    this.exit = exit
    this.details = options.details ?? {}
    this.hint = options.hint
  }
}
