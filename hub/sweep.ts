import type { Driver } from '../drivers/driver.ts'
import { DriverError } from '../drivers/errors.ts'
import type { Key } from '../drivers/key.ts'
import { grantsFolder } from './auth/records/grants.ts'
import { readRecord } from './auth/records/read-record.ts'
import { revocationsFolder } from './auth/records/revocations.ts'
import { decodeUcan, UcanError } from './auth/ucan/index.ts'

export interface SweepOptions {
  driver: Driver
  /** Seconds since 1970. */
  now: number
  /** Tell what would be removed, and remove nothing. */
  dryRun: boolean
  /** Called for each record that is, or would be, removed. */
  onRemove?: (key: Key) => void
  /** Called after each address. */
  onProgress?: (soFar: SweepReport) => void
}

export interface SweepReport {
  addresses: number
  /** Records that were looked at. */
  records: number
  /** Those that were, or would be, removed. */
  grants: number
  revocations: number
  /** Records that could not be read as what they should be; they stay. */
  unreadable: number
}

/**
 * Seconds that a record outlives its delegation: another hub's clock may run behind, and would take an expired
 * delegation for a valid one that nobody has revoked.
 */
const marginSeconds = 24 * 60 * 60

const maxRecordBytes = 64 * 1024
const pageLimit = 1000

/**
 * Removes the records that say nothing any more: grants that have expired, and revocations of delegations that have
 * expired. May run at any time, beside hubs at work, and may be interrupted and run again.
 * @throws {DriverError} where storage cannot be read or changed
 */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const report: SweepReport = { addresses: 0, records: 0, grants: 0, revocations: 0, unreadable: 0 }
  for await (const bucket of authBuckets(options.driver)) {
    for await (const key of keysBelow(options.driver, `${bucket}/${grantsFolder}/`)) {
      if (await sweepRecord(options, report, key, expirationOfGrant)) report.grants++
    }
    for await (const key of keysBelow(options.driver, `${bucket}/${revocationsFolder}/`)) {
      if (await sweepRecord(options, report, key, expirationOfRevocation)) report.revocations++
    }
    report.addresses++
    options.onProgress?.({ ...report })
  }
  return report
}

/** When a record's delegation ends, in seconds; `null` for never, `undefined` where the record does not tell. */
type ReadExpiration = (record: Record<string, unknown>) => number | null | undefined

/** @returns whether the record was, or would be, removed */
async function sweepRecord(
  { driver, now, dryRun, onRemove }: SweepOptions,
  report: SweepReport,
  key: Key,
  readExpiration: ReadExpiration,
): Promise<boolean> {
  const record = await readRecord(driver, key, maxRecordBytes)
  // Another sweep was faster.
  if (record === null) return false
  report.records++
  const expiration = readExpiration(parseObject(record.bytes))
  if (expiration === undefined) report.unreadable++
  if (typeof expiration !== 'number' || expiration + marginSeconds > now) return false
  if (!dryRun) await remove(driver, key, record.etag)
  onRemove?.(key)
  return true
}

/** The token itself says when it ends; the members beside it are an index that anybody may have written. */
const expirationOfGrant: ReadExpiration = ({ ucan }) => {
  if (typeof ucan !== 'string') return undefined
  try {
    return decodeUcan(ucan).expiration
  } catch (error) {
    if (error instanceof UcanError) return undefined
    throw error
  }
}

const expirationOfRevocation: ReadExpiration = ({ expiration }) =>
  expiration === null || typeof expiration === 'number' ? expiration : undefined

async function remove(driver: Driver, key: Key, etag: string): Promise<void> {
  try {
    await driver.delete(key, { condition: { ifMatch: etag } })
  } catch (error) {
    const isGone = error instanceof DriverError && ['not_found', 'precondition_failed'].includes(error.code)
    if (!isGone) throw error
  }
}

async function* authBuckets(driver: Driver): AsyncGenerator<string> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Driver['listBuckets']>> = await driver.listBuckets({
      limit: pageLimit,
      cursor,
    })
    yield* page.buckets.filter((bucket) => bucket.endsWith('-auth'))
    cursor = page.cursor
  } while (cursor !== null)
}

async function* keysBelow(driver: Driver, prefix: string): AsyncGenerator<Key> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Driver['list']>> = await driver.list(prefix, { limit: pageLimit, cursor })
    yield* page.entries.map(({ key }) => key)
    cursor = page.cursor
  } while (cursor !== null)
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}
