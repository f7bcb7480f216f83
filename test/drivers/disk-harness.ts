import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DriverHarness } from '../../drivers/conformance/index.ts'
import { type DiskDriverOptions, diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'

export interface DiskHarness extends DriverHarness {
  readonly root: string
  second(): Promise<Driver>
}

/** A disk driver over a folder of its own. */
export async function diskHarness(options: Omit<DiskDriverOptions, 'root'> = {}): Promise<DiskHarness> {
  const root = await mkdtemp(join(tmpdir(), 'mandate-disk-'))
  const driver = await diskDriver({ root, ...options })
  return {
    root,
    driver,
    second: () => diskDriver({ root, ...options }),
    leftovers: () => leftoversIn(root),
    async close() {
      await driver.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

/** Files below a folder, relative to it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}

/** Temporary files, sidecars without a file, and empty folders. */
async function leftoversIn(root: string): Promise<string[]> {
  const temp = (await filesBelow(join(root, '.mandate/tmp'))).filter((path) => !path.endsWith('/lock'))
  const metadata = join(root, '.gaia-metadata')
  const orphans: string[] = []
  for (const path of await filesBelow(metadata)) {
    if (!(await exists(join(root, path)))) orphans.push(`.gaia-metadata/${path}`)
  }
  return [...temp, ...orphans, ...(await emptyFolders(root))]
}

async function emptyFolders(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true })
  const parents = new Set(entries.map((entry) => entry.parentPath))
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !parents.has(path) && path !== join(root, '.gaia-metadata'))
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
