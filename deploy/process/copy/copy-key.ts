import { DriverError } from '../../../drivers/errors.ts'
import type { Key } from '../../../drivers/key.ts'
import { type Choices, decide, differing, type Plan } from './decide.ts'
import type { CopyEvent } from './events.ts'
import type { Pair } from './join-listings.ts'
import type { AddressLedger } from './ledger.ts'
import { ChangedMeanwhile, isSameContent, type Transfer, transfer } from './transfer.ts'

export interface KeyCopying extends Transfer, Choices {
  ledger: AddressLedger
  /** Change nothing, and tell what would be changed. */
  dryRun: boolean
}

export type Outcome = Pick<CopyEvent, 'action' | 'bytes' | 'reason'>

/** How often one key is looked at anew when it changes under our hands. */
const maxTries = 3

/**
 * Brings one key to the destination, as far as that is safe.
 * @returns `null` where there is nothing to tell: the destination alone has something
 * @throws {DriverError}
 */
export async function copyKey(copying: KeyCopying, pair: Pair): Promise<Outcome | null> {
  let now = pair
  for (let tries = 1; ; tries++) {
    try {
      return await carryOut(copying, now, decide({ ...now, entry: copying.ledger.get(pair.key) }, copying))
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error
      if (tries === maxTries)
        return { action: 'conflict', reason: 'it is being changed; left for another run' }
    }
    now = await lookAgain(copying, pair.key)
  }
}

async function lookAgain({ source, target }: KeyCopying, key: Key): Promise<Pair> {
  const [here, there] = await Promise.all([source.stat(key), target.stat(key)])
  return { key, source: here, target: there }
}

async function carryOut(copying: KeyCopying, pair: Pair, plan: Plan): Promise<Outcome | null> {
  switch (plan.do) {
    case 'nothing':
      return { action: 'there' }
    case 'ignore':
      return null
    case 'leave':
      return { action: 'gone' }
    case 'conflict':
      return { action: 'conflict', reason: plan.reason }
    case 'create':
      return await write(copying, pair, { ifNoneMatch: '*' }, 'copied')
    case 'replace':
      return await write(copying, pair, { ifMatch: plan.etag }, plan.action)
    case 'delete':
      return await remove(copying, pair.key, plan.etag)
    case 'compare':
      return await compare(copying, pair, plan.reason)
  }
}

async function write(
  copying: KeyCopying,
  { key, source }: Pair,
  condition: { ifMatch: string } | { ifNoneMatch: '*' },
  action: 'copied' | 'updated',
): Promise<Outcome> {
  if (source === null) throw new ChangedMeanwhile()
  if (!copying.dryRun) {
    const to = await transfer(copying, key, source, condition)
    await copying.ledger.note(key, { from: source, to })
  }
  return { action, bytes: source.size }
}

async function compare(copying: KeyCopying, pair: Pair, reason: string): Promise<Outcome | null> {
  const { key, source, target } = pair
  if (source === null || target === null) throw new ChangedMeanwhile()
  if (!(await isSameContent(copying, key, source, target))) {
    return await carryOut(copying, pair, differing(reason, target, copying))
  }
  if (!copying.dryRun) await copying.ledger.note(key, { from: source, to: target })
  return { action: 'compared' }
}

async function remove({ target, ledger, dryRun }: KeyCopying, key: Key, etag: string): Promise<Outcome> {
  if (dryRun) return { action: 'deleted' }
  try {
    await target.delete(key, { condition: { ifMatch: etag } })
  } catch (error) {
    if (error instanceof DriverError && error.code === 'precondition_failed') throw new ChangedMeanwhile()
    throw error
  }
  await ledger.forget(key)
  return { action: 'deleted' }
}
