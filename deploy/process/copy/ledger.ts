import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectInfo } from '../../../drivers/driver.ts'
import type { Address } from '../../../drivers/key.ts'

/** What a run has copied and verified: this version of the source is that version at the destination. */
export interface LedgerEntry {
  from: ObjectInfo
  to: ObjectInfo
}

/** The entries about one address, by key. */
export interface AddressLedger {
  get(key: string): LedgerEntry | null
  /** Resolves when it is written down. */
  note(key: string, entry: LedgerEntry): Promise<void>
  forget(key: string): Promise<void>
}

export interface Ledger {
  open(address: Address): Promise<AddressLedger>
}

/** A ledger that cannot be used; `message` names its folder. */
export class LedgerError extends Error {
  constructor(folder: string, problem: string) {
    super(`the record ${folder} ${problem}`)
    this.name = 'LedgerError'
  }
}

const headName = 'copy.json'

/**
 * A folder that remembers what was copied from one storage to another, for the next run between the same two. It has
 * one file for each address, with a line of JSON for each version that was verified; a line that a killed run has left
 * unfinished says nothing. Losing it loses no file: what is at the destination is compared with the source's instead.
 * @param pair names both storages; a folder of another pair is refused
 * @param readOnly make nothing; nothing will be noted down, as in a dry run
 * @throws {LedgerError}
 */
export async function openLedger(folder: string, pair: string, readOnly: boolean): Promise<Ledger> {
  const known = await pairOf(folder)
  if (known !== null && known !== pair)
    throw new LedgerError(folder, 'is that of a copy between other storages')
  if (known === null && !readOnly) {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await writeFile(join(folder, headName), `${JSON.stringify({ version: 1, pair })}\n`)
  }
  return {
    async open(address) {
      const path = join(folder, `${address}.jsonl`)
      const entries = await readEntries(path)
      const append = (line: object) => appendFile(path, `${JSON.stringify(line)}\n`)
      return {
        get: (key) => entries.get(key) ?? null,
        async note(key, { from, to }) {
          entries.set(key, { from, to })
          await append({ key, from, to })
        },
        async forget(key) {
          if (entries.delete(key)) await append({ key })
        },
      }
    },
  }
}

async function pairOf(folder: string): Promise<string | null> {
  const text = await textOf(join(folder, headName))
  if (text === null) return null
  const head = parse(text)
  if (typeof head?.pair !== 'string' || head.version !== 1) {
    throw new LedgerError(folder, 'cannot be read: it is none, or another version wrote it')
  }
  return head.pair
}

async function readEntries(path: string): Promise<Map<string, LedgerEntry>> {
  const entries = new Map<string, LedgerEntry>()
  for (const line of (await textOf(path))?.split('\n') ?? []) {
    const { key, from, to } = parse(line) ?? {}
    if (typeof key !== 'string') continue
    if (isInfo(from) && isInfo(to)) entries.set(key, { from, to })
    else entries.delete(key)
  }
  return entries
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}

function isInfo(value: unknown): value is ObjectInfo {
  if (typeof value !== 'object' || value === null) return false
  const { etag, size, contentType, lastModifiedMs } = value as Record<string, unknown>
  return (
    typeof etag === 'string' &&
    typeof size === 'number' &&
    typeof contentType === 'string' &&
    typeof lastModifiedMs === 'number'
  )
}
