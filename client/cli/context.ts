import { join, resolve } from 'node:path'
import type { CliOptions } from './io.ts'
import { KeyStore } from './keys/key-store.ts'
import { systemKeyring } from './keys/keyring.ts'
import { Output } from './terminal/output.ts'

/** What every command has at hand. */
export interface CliContext {
  readonly io: CliOptions
  readonly out: Output
  /** Where settings, keys and delegations are kept. */
  readonly folder: string
  readonly keys: KeyStore
  readonly signal: AbortSignal
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** A file that the user named, as an absolute path. */
  readonly pathOf: (name: string) => string
}

/** Options that every command has. */
export interface CommonOptions {
  json?: boolean
  quiet?: boolean
}

/** Options of every command that speaks to a hub. */
export interface HubOptions extends CommonOptions {
  hub?: string
  profile?: string
  as?: string
}

export function createContext(io: CliOptions): CliContext {
  const folder = folderOf(io)
  return {
    io,
    folder,
    out: new Output(io),
    keys: new KeyStore({ folder: join(folder, 'keys'), openKeyring: io.openKeyring ?? systemKeyring }),
    signal: io.signal ?? new AbortController().signal,
    now: io.now ?? Date.now,
    pathOf: (name) => resolve(io.workingFolder, name),
  }
}

/** By the XDG Base Directory specification, on macOS too. */
function folderOf({ env, homeFolder, workingFolder }: CliOptions): string {
  const own = env.MANDATE_CLIENT_FOLDER ?? ''
  if (own !== '') return resolve(workingFolder, own)
  const configured = env.XDG_CONFIG_HOME ?? ''
  return join(configured.startsWith('/') ? configured : join(homeFolder, '.config'), 'mandate')
}
