import type { Driver, ObjectInfo } from '../../../drivers/driver.ts'
import { DriverError } from '../../../drivers/errors.ts'
import { compareKeys, type Key } from '../../../drivers/key.ts'

/** One key of two storages. */
export interface Pair {
  key: Key
  /** `null` where that side has none. */
  source: ObjectInfo | null
  target: ObjectInfo | null
}

type Lister = Pick<Driver, 'list'>
/** An object as a list tells of it. */
export interface Item {
  key: Key
  info: ObjectInfo
}

const pageLimit = 1000

/** Walks two storages side by side, in the order of keys, which is one and the same for all drivers. */
export async function* joinListings(source: Lister, target: Lister, prefix: string): AsyncGenerator<Pair> {
  const [left, right] = [walk(source, prefix), walk(target, prefix)]
  try {
    let [a, b] = [await next(left), await next(right)]
    while (a !== null || b !== null) {
      const order = a === null ? 1 : b === null ? -1 : compareKeys(a.key, b.key)
      const key = (order <= 0 ? a : b)?.key
      if (key === undefined) return
      yield {
        key,
        source: order <= 0 ? (a?.info ?? null) : null,
        target: order >= 0 ? (b?.info ?? null) : null,
      }
      if (order <= 0) a = await next(left)
      if (order >= 0) b = await next(right)
    }
  } finally {
    await Promise.all([left.return(undefined), right.return(undefined)])
  }
}

async function next(items: AsyncGenerator<Item>): Promise<Item | null> {
  const result = await items.next()
  return result.done === true ? null : result.value
}

/** All objects whose keys begin with a prefix. */
export async function* walk(driver: Lister, prefix: string): AsyncGenerator<Item> {
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<Driver['list']>> = await driver.list(prefix, {
      limit: pageLimit,
      cursor,
      stat: true,
    })
    for (const { key, info } of page.entries) {
      if (info === undefined)
        throw new DriverError('backend', 'the storage lists a file without what is known of it')
      yield { key, info }
    }
    cursor = page.cursor
  } while (cursor !== null)
}
