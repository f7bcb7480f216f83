import { createWriteStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'

/** Of every file: it can be read by everyone, and has one time, which zips hold as the clock on the wall shows it. */
const facts = { mode: 0o100644, mtime: new Date(1980, 0, 1), forceDosTimestamp: true, compressionLevel: 9 }

/** Puts the files of a folder into a zip, in the order of their names: the same files make the same zip. */
export async function zipFolder(folder: string, zip: string): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  const archive = new ZipFile()
  const bytes = archive.outputStream as Readable
  archive.on('error', (error: Error) => bytes.destroy(error))
  for (const file of files.toSorted()) archive.addFile(file, relative(folder, file), facts)
  archive.end()
  await pipeline(bytes, createWriteStream(zip))
}
