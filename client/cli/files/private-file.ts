import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

/**
 * Writes a file that only its owner may read (0600), whole or not at all: a temporary file beside it, synced, then
 * one link or rename. `create` leaves what is there and says so.
 * @returns whether it was written
 */
export async function writePrivateFile(
  file: string,
  text: string,
  how: 'create' | 'replace',
): Promise<boolean> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    await writeSynced(temporary, text)
    if (how === 'replace') await rename(temporary, file)
    else await link(temporary, file)
    return true
  } catch (error) {
    if (how === 'create' && (error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(temporary, { force: true })
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
