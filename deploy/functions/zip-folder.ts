import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import { crc32, deflateRaw } from 'node:zlib'

const deflate = promisify(deflateRaw)

/** One file in a zip, as it stands there. */
interface Entry {
  name: Buffer
  /** What local and central header have in common, from "version needed" to "extra field length". */
  facts: Buffer
  packed: Buffer
}

/**
 * Puts the files of a folder into a zip (PKWARE APPNOTE 6.3), in the order of their names, all of one time and readable
 * by everyone: the same files make the same zip. For less than 65,536 files and 4 GB.
 */
export async function zipFolder(folder: string, zip: string): Promise<void> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name))
  const entries: Entry[] = []
  for (const file of files.toSorted()) entries.push(await packFile(file, relative(folder, file)))
  await writeFile(zip, archive(entries))
}

async function packFile(file: string, path: string): Promise<Entry> {
  const bytes = await readFile(file)
  const packed = await deflate(bytes, { level: 9 })
  const name = Buffer.from(path.replaceAll('\\', '/'))
  const facts = Buffer.alloc(26)
  facts.writeUInt16LE(20, 0) // version needed
  facts.writeUInt16LE(0x0800, 2) // flags: the name is UTF-8
  facts.writeUInt16LE(8, 4) // method: deflate
  facts.writeUInt16LE(0x21, 8) // date: 1 January 1980, at 0:00
  facts.writeUInt32LE(crc32(bytes), 10)
  facts.writeUInt32LE(packed.length, 14)
  facts.writeUInt32LE(bytes.length, 18)
  facts.writeUInt16LE(name.length, 22)
  return { name, facts, packed }
}

function archive(entries: readonly Entry[]): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const { name, facts, packed } of entries) {
    const header = Buffer.concat([signature(0x04034b50), facts, name])
    local.push(header, packed)
    central.push(signature(0x02014b50), madeByUnix, facts, placeOf(offset), name)
    offset += header.length + packed.length
  }
  const directory = Buffer.concat(central)
  return Buffer.concat([...local, directory, endRecord(entries.length, directory.length, offset)])
}

/** Made by Unix, by a program that follows version 2.0: then the mode below counts. */
const madeByUnix = Buffer.from([20, 3])

/** The rest of a central header: comment, disk, attributes (a plain file, 0644), and where the local header is. */
function placeOf(offset: number): Buffer {
  const place = Buffer.alloc(14)
  place.writeUInt32LE((0o100644 << 16) >>> 0, 6)
  place.writeUInt32LE(offset, 10)
  return place
}

function endRecord(count: number, directoryBytes: number, directoryOffset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(count, 8)
  end.writeUInt16LE(count, 10)
  end.writeUInt32LE(directoryBytes, 12)
  end.writeUInt32LE(directoryOffset, 16)
  return end
}

function signature(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
