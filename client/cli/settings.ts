import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from './cli-error.ts'
import { writePrivateFile } from './files/private-file.ts'

/** A hub, and as whom to speak to it. */
export interface Profile {
  /** The hub's URL. */
  readonly hub: string
  /** Name of the key to use. */
  readonly key?: string
}

/** What the program remembers from call to call; keys and delegations have files of their own. */
export interface Settings {
  /** The profile that is used where none is named. */
  readonly profile: string
  readonly profiles: Readonly<Record<string, Profile>>
}

/** Where `npm start` puts a hub: what a newcomer has. */
export const standardHub = 'http://localhost:3000'

const noSettings: Settings = { profile: 'default', profiles: {} }

/** @throws {CliError} where the file is damaged: to go on with defaults could write to another hub */
export async function readSettings(folder: string): Promise<Settings> {
  const file = settingsFile(folder)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return noSettings
  const settings = parseSettings(text)
  if (settings === null)
    throw new CliError('failed', `the settings in ${file} are damaged; mend or remove that file`)
  return settings
}

export async function writeSettings(folder: string, settings: Settings): Promise<void> {
  const text = JSON.stringify({ version: 1, ...settings }, null, 2)
  await writePrivateFile(settingsFile(folder), `${text}\n`, 'replace')
}

function settingsFile(folder: string): string {
  return join(folder, 'config.json')
}

function parseSettings(text: string): Settings | null {
  try {
    const { profile, profiles } = JSON.parse(text) as { profile?: unknown; profiles?: unknown }
    if (typeof profile !== 'string' || typeof profiles !== 'object' || profiles === null) return null
    const entries = Object.entries(profiles as Record<string, unknown>)
    if (!entries.every(([, value]) => isProfile(value))) return null
    return { profile, profiles: Object.fromEntries(entries) as Record<string, Profile> }
  } catch {
    return null
  }
}

function isProfile(value: unknown): value is Profile {
  if (typeof value !== 'object' || value === null) return false
  const { hub, key } = value as Record<string, unknown>
  return typeof hub === 'string' && URL.canParse(hub) && (key === undefined || typeof key === 'string')
}
