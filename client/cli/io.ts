import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import type { CliContext } from './context.ts'
import type { Keyring } from './keys/keyring.ts'

/** Where text goes; a terminal says so. */
export type Out = Writable & { isTTY?: boolean; columns?: number }
/** Where answers and bytes come from. */
export type In = Readable & { isTTY?: boolean }

/** Everything that the program takes from the process around it, so that it can run inside another, in tests too. */
export interface CliOptions {
  stdin: In
  /** Results, and nothing else. */
  stdout: Out
  /** Progress, notes and errors. */
  stderr: Out
  env: Readonly<Record<string, string | undefined>>
  /** The user's home folder. */
  homeFolder: string
  /** Folder that relative names of files are taken from. */
  workingFolder: string
  /** Version of the package. */
  version: string
  /** Ends what is under way, resumably. */
  signal?: AbortSignal
  fetch?: typeof fetch
  /** Milliseconds since 1970. */
  now?: () => number
  /** The system's keyring, where tests have one of their own. */
  openKeyring?: () => Promise<Keyring>
  /** Commands that need what this program has not, drivers for instance; see {@link CommandFactory}. */
  extraCommands?: readonly CommandFactory[]
}

/** Makes one command of the program. `defineCommand` of define-command.ts gives it the options that all have. */
export type CommandFactory = (context: CliContext) => Command
