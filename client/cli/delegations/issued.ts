import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isCid } from '../../delegation/cid.ts'
import { Delegation } from '../../delegation/delegation.ts'
import type { CliContext } from '../context.ts'
import { writePrivateFile } from '../files/private-file.ts'

const suffix = '.txt'

/** Keeps what was signed here: one that is not deposited can be revoked only by who still has it. */
export async function keepIssued(context: CliContext, delegation: Delegation): Promise<void> {
  await writePrivateFile(fileOf(context, delegation.cid), `${delegation.toString()}\n`, 'create')
}

/** @returns null where it was not signed here */
export async function findIssued(context: CliContext, cid: string): Promise<Delegation | null> {
  if (!isCid(cid)) return null
  const text = await readFile(fileOf(context, cid), 'utf8').catch(ifAbsent(null))
  return text === null ? null : Delegation.parse(text)
}

/** Those that have not expired, in the order of their CIDs. */
export async function listIssued(context: CliContext): Promise<Delegation[]> {
  const names = await readdir(folderOf(context)).catch(ifAbsent<string[]>([]))
  const found = await Promise.all(
    names.sort().map((name) => findIssued(context, name.slice(0, -suffix.length))),
  )
  const now = context.now() / 1000
  return found
    .filter((one) => one !== null)
    .filter(({ expiration }) => expiration === null || expiration > now)
}

function folderOf({ folder }: CliContext): string {
  return join(folder, 'issued')
}

function fileOf(context: CliContext, cid: string): string {
  return join(folderOf(context), cid + suffix)
}

function ifAbsent<T>(value: T): (error: unknown) => T {
  return (error) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return value
    throw error
  }
}
