import { Readable } from 'node:stream'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { type Address, authKey, type Key } from '../../../drivers/key.ts'
import { cidOf } from '../ucan/index.ts'
import { readRecord } from './read-record.ts'

/** A deposited delegation as it is stored (PROTOCOL 2.5). Only its tokens count: they are verified at each load. */
export interface StoredGrant {
  readonly cid: string
  /** The delegation, a JWT. */
  readonly ucan: string
  /** The tokens that it needs and does not hold itself, JWTs. */
  readonly proofs: readonly string[]
  /** DID of who may use it: an index, no authority. */
  readonly audience: string
  /** Seconds since 1970. */
  readonly depositedAt: number
}

export const grantsFolder = 'grants'

/** The most grants that are kept for one address: each is looked at for every writer who is not the owner. */
export const maxGrants = 2000

/** A chain is at most 16 KiB as sent; JSON adds quotes and members. */
const maxGrantBytes = 64 * 1024

const listLimit = 1000

function grantKey(address: Address, cid: string): Key {
  return authKey(address, `${grantsFolder}/${cid}.json`)
}

/**
 * One deposited grant, or `null` where there is none or the blob is not one. Whoever can write to the storage
 * can withhold a grant by damaging it, and gains nothing else by that.
 */
export async function readGrant(driver: Driver, address: Address, cid: string): Promise<StoredGrant | null> {
  const record = await readRecord(driver, grantKey(address, cid), maxGrantBytes)
  return record === null ? null : parseGrant(record.bytes.toString('utf8'), cid)
}

/** The CIDs of all grants of an address, the most that one address may have. */
export async function listGrantIds(driver: Driver, address: Address): Promise<string[]> {
  const prefix = `${address}-auth/${grantsFolder}/`
  const cids: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Driver['list']>> = await driver.list(prefix, { limit: listLimit, cursor })
    cids.push(...page.entries.map(({ key }) => key.slice(prefix.length).replace(/\.json$/, '')))
    cursor = page.cursor
  } while (cursor !== null && cids.length < maxGrants)
  return cids
}

/** Written once. @returns whether it is new */
export async function storeGrant(driver: Driver, address: Address, grant: StoredGrant): Promise<boolean> {
  const blob = Buffer.from(JSON.stringify({ version: 1, ...grant }))
  try {
    await driver.write(grantKey(address, grant.cid), Readable.from([blob]), {
      contentType: 'application/json',
      condition: { ifNoneMatch: '*' },
      size: blob.length,
    })
    return true
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
    return false
  }
}

function parseGrant(text: string, cid: string): StoredGrant | null {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return null
  }
  if (typeof value !== 'object' || value === null) return null
  const { ucan, proofs = [], audience, depositedAt } = value as Record<string, unknown>
  if (typeof ucan !== 'string' || typeof audience !== 'string' || !isTextList(proofs)) return null
  // Under another's name it could be taken for that one, by an owner who revokes by CID for instance.
  if (cidOf(ucan) !== cid) return null
  return { cid, ucan, proofs, audience, depositedAt: typeof depositedAt === 'number' ? depositedAt : 0 }
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
