import { Readable } from 'node:stream'
import type { Driver } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { type Address, authKey, type Key } from '../../../drivers/key.ts'

/** One ended delegation (PROTOCOL 2.5). */
export interface Revocation {
  /** SHA-256 of the token's `header.payload`, in hex: a re-encoded signature does not escape it. */
  revocationId: string
  cid: string
  /** DID of the key that revoked. */
  revokedBy: string
  /** Seconds since 1970. */
  revokedAt: number
  /** When the delegation would have ended by itself, in seconds; `null` for never. Afterwards it may be swept. */
  expiration: number | null
}

export const revocationsFolder = 'revocations'

function revocationKey(address: Address, revocationId: string): Key {
  return authKey(address, `${revocationsFolder}/${revocationId}.json`)
}

/** The first revocations of an address, by id. */
export interface RevocationList {
  readonly ids: ReadonlySet<string>
  /** Whether these are all that there are. */
  readonly isWhole: boolean
}

/** Reads one page: far more revocations than owners make, and still a bounded read. */
const listLimit = 1000

/** One listing settles all tokens of all chains at an address, where a look-up of each would cost a request each. */
export async function listRevocations(driver: Driver, address: Address): Promise<RevocationList> {
  const prefix = `${address}-auth/${revocationsFolder}/`
  const { entries, cursor } = await driver.list(prefix, { limit: listLimit, cursor: null })
  const ids = entries.map(({ key }) => key.slice(prefix.length).replace(/\.json$/, ''))
  return { ids: new Set(ids), isWhole: cursor === null }
}

/** That the blob is there is what counts, not what it holds: one that is damaged still revokes. */
export async function isRevocationStored(
  driver: Driver,
  address: Address,
  revocationId: string,
): Promise<boolean> {
  return (await driver.stat(revocationKey(address, revocationId))) !== null
}

/** Written once; a second one changes nothing. */
export async function storeRevocation(
  driver: Driver,
  address: Address,
  { revocationId, ...facts }: Revocation,
): Promise<void> {
  const blob = Buffer.from(JSON.stringify({ version: 1, ...facts }))
  try {
    await driver.write(revocationKey(address, revocationId), Readable.from([blob]), {
      contentType: 'application/json',
      condition: { ifNoneMatch: '*' },
      size: blob.length,
    })
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
  }
}
