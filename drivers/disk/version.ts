import { createHash, randomUUID } from 'node:crypto'
import type { BigIntStats } from 'node:fs'
import type { ObjectInfo } from '../driver.ts'

/** Tells one file from another of the same name. The numbers that can pass 2^53 are decimal text. */
export interface FileIdentity {
  readonly ino: string
  readonly size: number
  readonly mtimeNs: string
}

/** One version of a key and the file that holds it. */
export interface Version extends FileIdentity {
  readonly etag: string
  readonly contentType: string
  /**
   * Whether the file itself carries etag and content type, in an extended attribute. Then they cannot part, and
   * nothing else needs to be durable for them to be found.
   */
  readonly sealed: boolean
}

export function identityOf(stats: BigIntStats): FileIdentity {
  return { ino: String(stats.ino), size: Number(stats.size), mtimeNs: String(stats.mtimeNs) }
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeNs === b.mtimeNs
}

export function infoOf({ etag, size, contentType, mtimeNs }: Version): ObjectInfo {
  return { etag, size, contentType, lastModifiedMs: Number(BigInt(mtimeNs) / 1_000_000n) }
}

/**
 * 122 random bits: two writers of the same bytes have made two versions. A UUID, since Node draws the randomness
 * of many at once.
 */
export function makeEtag(): string {
  return randomUUID().replaceAll('-', '')
}

/** For a file that nobody gave one: changes whenever the file is seen to change. */
export function deriveEtag({ ino, size, mtimeNs }: FileIdentity): string {
  return createHash('sha256').update(`${ino} ${size} ${mtimeNs}`).digest('hex').slice(0, 32)
}
