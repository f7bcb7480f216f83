import { mkdir, realpath } from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import { CliError } from '../cli-error.ts'
import { isOwnTemporary } from './walk.ts'

/**
 * Where a file of a bucket goes below a folder, with the folders on the way made. What a bucket holds was named by
 * others: no name may lead out of the folder, by dots or through a link that lies in it.
 * @throws {CliError} `invalid`
 */
export async function placeBelow(folder: string, path: string): Promise<string> {
  if (!isSafeBelow(path)) throw outside(path)
  const file = join(folder, ...path.split('/'))
  await mkdir(dirname(file), { recursive: true })
  const [root, parent] = await Promise.all([realpath(folder), realpath(dirname(file))])
  if (parent !== root && !parent.startsWith(root.endsWith(sep) ? root : root + sep)) throw outside(path)
  return file
}

/** Whether a path of a bucket can be one below a folder, and is none of this program's own files. */
export function isSafeBelow(path: string): boolean {
  const segments = path.split('/')
  const isBad = (segment: string) =>
    segment === '' || segment === '.' || segment === '..' || segment.includes('\0')
  return !segments.some(isBad) && !isOwnTemporary(segments.at(-1) ?? '')
}

function outside(path: string): CliError {
  return new CliError('invalid', `${path} cannot be a file below this folder`)
}
