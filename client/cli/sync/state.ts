import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { writePrivateFile } from '../files/private-file.ts'

/** A file as it was when both sides had the same. */
export interface SyncedFile {
  /** The version in the bucket. */
  readonly etag: string
  readonly size: number
  readonly mtimeMs: number
  /** SHA-256 in hex, where it was computed on the way. */
  readonly sha256: string
}

export type SyncedFiles = Map<string, SyncedFile>

/** Lies in the folder, so that the folder can be moved; never stored in a bucket. */
export const stateFileName = '.mandate-sync.json'

/** Another bucket has a state of its own, so that one folder can be held to several. */
interface StateFile {
  readonly version: 1
  readonly targets: Readonly<Record<string, Readonly<Record<string, SyncedFile>>>>
}

/** What both sides had after the last run; empty before the first. @throws {CliError} where the file is damaged */
export async function readSyncState(folder: string, target: string): Promise<SyncedFiles> {
  const { targets } = await readStateFile(folder)
  return new Map(Object.entries(targets[target] ?? {}))
}

export async function writeSyncState(folder: string, target: string, files: SyncedFiles): Promise<void> {
  const { targets } = await readStateFile(folder)
  const state: StateFile = { version: 1, targets: { ...targets, [target]: Object.fromEntries(files) } }
  await writePrivateFile(join(folder, stateFileName), `${JSON.stringify(state)}\n`, 'replace')
}

async function readStateFile(folder: string): Promise<StateFile> {
  const file = join(folder, stateFileName)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (text === null) return { version: 1, targets: {} }
  const state = parseState(text)
  if (state !== null) return state
  throw new CliError('failed', `${file} is damaged`, {
    hint: 'Remove it: the next run compares both sides anew, and loses nothing.',
  })
}

function parseState(text: string): StateFile | null {
  try {
    const state = JSON.parse(text) as Partial<StateFile> | null
    const isState = state?.version === 1 && typeof state.targets === 'object' && state.targets !== null
    return isState ? { version: 1, targets: { ...state.targets } as StateFile['targets'] } : null
  } catch {
    return null
  }
}
