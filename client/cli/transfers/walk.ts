import type { Dirent } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** A file below a folder. */
export interface LocalFile {
  /** From the folder, with slashes. */
  readonly path: string
  /** Where it is. */
  readonly file: string
}

export interface WalkOptions {
  /** Told of what is neither a file nor a folder: links, sockets. Links are not followed: they may lead anywhere. */
  onSkip: (path: string, why: string) => void
  /** Whether a path is left out; a folder that is left out is not entered. */
  isExcluded?: (path: string) => boolean
}

/** The files below a folder, in the order of their names. */
export async function* walkFolder(
  folder: string,
  options: WalkOptions,
  below = '',
): AsyncGenerator<LocalFile> {
  const entries = await readdir(join(folder, below), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`
    if (options.isExcluded?.(path) === true || isOwnTemporary(entry.name)) continue
    if (entry.isDirectory()) yield* walkFolder(folder, options, path)
    else if (entry.isFile()) yield { path, file: join(folder, path) }
    else options.onSkip(path, kindOf(entry))
  }
}

function kindOf(entry: Dirent): string {
  return entry.isSymbolicLink() ? 'a link' : 'not a file'
}

/** What this program leaves beside files while it works on them. */
const temporarySuffix = '.mandate-part'

export function isOwnTemporary(name: string): boolean {
  return name.startsWith('.') && name.endsWith(temporarySuffix)
}

/** `.name.<tag>.mandate-part`: beside the file, so that a rename commits it, and short enough for any name. */
export function temporaryName(name: string, tag: string): string {
  return `.${shorten(name, 200)}.${tag}${temporarySuffix}`
}

const ends = new TextDecoder('utf-8')

/** At most so many bytes of UTF-8; a character that is cut through is left out. */
function shorten(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  return bytes.length <= maxBytes ? text : ends.decode(bytes.subarray(0, maxBytes)).replace(/\ufffd+$/, '')
}
