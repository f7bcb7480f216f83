import { dirname } from 'node:path'
import type { Key } from '../key.ts'

/**
 * Where things lie, as Gaia has it: data at `<root>/<address>/<path>`, what is known about it at
 * `<root>/.gaia-metadata/<address>/<path>`. Our own working files are in `<root>/.mandate`; an address cannot
 * begin with a dot, so neither can be anybody's bucket.
 */
export const metadataFolder = '.gaia-metadata'
export const workFolder = '.mandate'

/** The files of one key, as absolute paths below the real root. */
export interface Place {
  readonly key: Key
  readonly data: string
  readonly dataFolder: string
  readonly sidecar: string
  readonly sidecarFolder: string
}

export function placeOf(root: string, key: Key): Place {
  const path = pathOnDisk(key)
  const data = `${root}/${path}`
  const sidecar = `${root}/${metadataFolder}/${path}`
  return { key, data, dataFolder: dirname(data), sidecar, sidecarFolder: dirname(sidecar) }
}

/** The most bytes that a file system lets one name have. */
const maxNameBytes = 255
/**
 * The most bytes of a piece that is cut off a longer name. What remains is over 50 bytes long and so never `.`
 * or `..`, whatever the name was.
 */
const pieceBytes = 200
/**
 * Ends the name of a folder that continues a long name. Keys hold no control characters, so no segment of a
 * key ends like this.
 */
export const continuationMark = '\u0001'

/**
 * A key, or the beginning of one that ends with a whole segment, as a path on disk: a segment of over 255 bytes
 * becomes folders named by its pieces, each with {@link continuationMark}, and the rest as it is.
 */
export function pathOnDisk(key: string): string {
  if (Buffer.byteLength(key) <= maxNameBytes) return key
  return key.split('/').map(nameOnDisk).join('/')
}

/** The key of a path that {@link pathOnDisk} made; of any other path, a text that is no key of that path. */
export function keyText(path: string): string {
  return path.replaceAll(`${continuationMark}/`, '')
}

/** One segment of a key on disk; with slashes where it had to be cut. */
export function nameOnDisk(segment: string): string {
  const bytes = Buffer.from(segment)
  if (bytes.length <= maxNameBytes) return segment
  const cut = characterStart(bytes, pieceBytes)
  const rest = nameOnDisk(bytes.subarray(cut).toString())
  return `${bytes.subarray(0, cut).toString()}${continuationMark}/${rest}`
}

/** The last index, at most `at`, where a UTF-8 character begins: not a byte of the form 10xxxxxx. */
function characterStart(bytes: Buffer, at: number): number {
  let start = at
  while (((bytes[start] ?? 0) & 0xc0) === 0x80) start--
  return start
}
