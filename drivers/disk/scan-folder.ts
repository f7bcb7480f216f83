import type { Dir } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { absent, unless } from './calls.ts'
import { continuationMark, nameOnDisk } from './layout.ts'
import { isOwnRealPath } from './location.ts'
import { Smallest } from './smallest.ts'

/**
 * Names are handled here as the bytes that they are on disk, one character for each (Latin-1): plain string
 * comparison is then the order of keys, and names that are not UTF-8 stay what they are.
 */
export type ByteText = string

export function toBytes(text: string): ByteText {
  return Buffer.from(text).toString('latin1')
}

export function fromBytes(bytes: ByteText): string {
  return Buffer.from(bytes, 'latin1').toString()
}

/** A file or a folder of a folder that was scanned. */
export interface Found {
  /** What orders it among its siblings: the name, and a slash after a folder's. */
  readonly order: ByteText
  readonly isFolder: boolean
}

export interface Scan {
  /** Only what begins with it, folders' slashes included. */
  readonly prefix: ByteText
  /** Only what can hold names after this one, which may lead into a folder (`b/c`); empty for all. */
  readonly after: ByteText
  /** How many to keep: the smallest ones. */
  readonly limit: number
}

/** How many names are read at a time; each batch holds up the event loop for a millisecond or two. */
const batchSize = 1024

/**
 * The smallest names of a folder after a position, in order. The folder is read once, and never more than twice
 * the limit of names are kept.
 * @returns fewer than the limit only where there are no more
 */
export async function scanFolder(folder: string, scan: Scan): Promise<Found[]> {
  const smallest = new Smallest<Found>(scan.limit)
  await collect(folder, '', scan, smallest)
  return smallest.take()
}

/** @param begun the pieces of a long name that led into this folder, which holds what continues them */
async function collect(
  folder: string,
  begun: ByteText,
  scan: Scan,
  smallest: Smallest<Found>,
): Promise<void> {
  const directory = await open(folder)
  if (directory === null) return
  const pieces: ByteText[] = []
  for await (const entry of directory) {
    const isFolder = entry.isDirectory()
    if (!isFolder && !entry.isFile()) continue
    const name = bytesOf(entry.name)
    if (name.endsWith(continuationMark)) {
      if (isFolder && mayContinue(begun + name.slice(0, -1), scan)) pieces.push(name.slice(0, -1))
      continue
    }
    const order = `${begun}${name}${isFolder ? '/' : ''}`
    if (isWanted(order, isFolder, scan) && smallest.admits(order) && isSegment(begun, name)) {
      smallest.add({ order, isFolder })
    }
  }
  for (const piece of pieces) {
    await collect(`${folder}/${fromBytes(piece)}${continuationMark}`, begun + piece, scan, smallest)
  }
}

/** A folder that is there as itself, `null` for any other thing; it may have vanished since it was found. */
async function open(path: string): Promise<Dir | null> {
  if (!(await isOwnRealPath(path))) return null
  // Names as bytes: a type that @types/node does not know of `opendir`, though Node does.
  const encoding = 'buffer' as BufferEncoding
  return await unless(opendir(path, { encoding, bufferSize: batchSize }), absent, null)
}

function bytesOf(name: unknown): ByteText {
  return Buffer.isBuffer(name) ? name.toString('latin1') : toBytes(String(name))
}

function isWanted(order: ByteText, isFolder: boolean, { prefix, after }: Scan): boolean {
  if (!order.startsWith(prefix)) return false
  return order > after || (isFolder && after.length > order.length && after.startsWith(order))
}

/** Whether a name that begins with `piece`, and is longer, may be wanted. */
function mayContinue(piece: ByteText, { prefix, after }: Scan): boolean {
  return (piece.startsWith(prefix) || prefix.startsWith(piece)) && (piece > after || after.startsWith(piece))
}

const plainName = /^[\x20-\x5b\x5d-\x7e]+$/
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Whether a segment of a key lies on disk as `name` below the folders of `begun`: it can only be found there. */
function isSegment(begun: ByteText, name: ByteText): boolean {
  if (begun === '' && plainName.test(name)) return true
  try {
    const text = utf8.decode(Buffer.from(begun + name, 'latin1'))
    if (/[\p{Cc}\\]/u.test(text)) return false
    const onDisk = nameOnDisk(text)
    return onDisk.slice(onDisk.lastIndexOf('/') + 1) === fromBytes(name)
  } catch {
    return false
  }
}
