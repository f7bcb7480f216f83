import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { copyFile, link, lstat, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { temporaryName } from './walk.ts'

/** What tells one state of a local file from another. */
export interface LocalStamp {
  readonly size: number
  readonly mtimeMs: number
}

/** @returns null where there is no file */
export async function stampOf(file: string): Promise<LocalStamp | null> {
  const info = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw error
  })
  return info === null ? null : { size: info.size, mtimeMs: info.mtimeMs }
}

export function isSameStamp(a: LocalStamp | null, b: LocalStamp | null): boolean {
  return a?.size === b?.size && a?.mtimeMs === b?.mtimeMs
}

/** Puts a finished file where none is. @throws {CliError} `conflict` where one is by now */
export async function commitNew(temporary: string, file: string): Promise<void> {
  try {
    await linkOrCopy(temporary, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    throw new CliError('conflict', `${file} is there already`)
  }
  await rm(temporary)
}

/** Puts a finished file over whatever is there, in one step. */
export function commitOver(temporary: string, file: string): Promise<void> {
  return rename(temporary, file)
}

/**
 * Puts a finished file in the place of one that is kept under another name: at no moment is the name without a file.
 * @returns where the former one is now
 */
export async function commitBeside(temporary: string, file: string, nowMs: number): Promise<string> {
  const kept = await keepUnderOtherName(file, nowMs)
  await rename(temporary, file)
  return kept
}

/**
 * Puts a finished file in the place of a known state. Where somebody changed that meanwhile, their state is kept under
 * another name.
 * @returns where it is kept, `null` where the known state was there
 */
export async function commitReplacing(
  temporary: string,
  file: string,
  expected: LocalStamp,
  nowMs: number,
): Promise<string | null> {
  const former = join(
    dirname(file),
    temporaryName(basename(file), `former-${randomBytes(4).toString('hex')}`),
  )
  await linkOrCopy(file, former)
  await rename(temporary, file)
  if (isSameStamp(await stampOf(former), expected)) {
    await rm(former)
    return null
  }
  const kept = await keepUnderOtherName(former, nowMs, file)
  await rm(former)
  return kept
}

/** Removes a file in a known state, and folders that are empty then. @returns whether it was in that state */
export async function removeKnown(file: string, expected: LocalStamp, root: string): Promise<boolean> {
  const former = join(dirname(file), temporaryName(basename(file), `gone-${randomBytes(4).toString('hex')}`))
  await rename(file, former)
  if (!isSameStamp(await stampOf(former), expected)) {
    await linkOrCopy(former, file)
    await rm(former)
    return false
  }
  await rm(former)
  await removeEmptyFolders(dirname(file), root)
  return true
}

async function removeEmptyFolders(folder: string, root: string): Promise<void> {
  for (let at = folder; at !== root && at.startsWith(root); at = dirname(at)) {
    try {
      await rmdir(at)
    } catch {
      // Not empty: others need it, and so those above it.
      return
    }
  }
}

/** `notes.conflict-20261122-074012.txt` */
async function keepUnderOtherName(source: string, nowMs: number, name = source): Promise<string> {
  const extension = extname(name)
  const stem = name.slice(0, name.length - extension.length)
  const time = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-')
  for (let i = 1; i < 1000; i++) {
    const kept = `${stem}.conflict-${time}${i === 1 ? '' : `-${i}`}${extension}`
    try {
      await linkOrCopy(source, kept)
      return kept
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
  throw new CliError('conflict', `${name} has too many conflicts to keep one more`)
}

/** A second name for a file; a copy where the file system has no links. Never over another file. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error
    await copyFile(from, to, constants.COPYFILE_EXCL)
  }
}
