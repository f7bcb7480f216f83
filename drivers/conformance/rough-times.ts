import type { Driver, ListEntry, ObjectInfo } from '../driver.ts'
import type { Key } from '../key.ts'

/**
 * For backends that do not tell the time of a version when they make it: puts drivers in between that answer with
 * the time at which a version was first seen, as long as the times told of it are within `slackMs` of that.
 */
export function roughTimes(slackMs: number): (driver: Driver) => Driver {
  const seen = new Map<string, number>()
  const even = <T extends ObjectInfo | null>(key: Key, info: T): T => {
    if (info === null) return info
    const version = `${key} ${info.etag}`
    const first = seen.get(version)
    if (first !== undefined && Math.abs(first - info.lastModifiedMs) <= slackMs) {
      return { ...info, lastModifiedMs: first }
    }
    seen.set(version, info.lastModifiedMs)
    return info
  }
  const evenEntry = ({ key, info }: ListEntry): ListEntry =>
    info === undefined ? { key } : { key, info: even(key, info) }

  return (driver) => ({
    name: driver.name,
    capabilities: driver.capabilities,
    ...(driver.presign === undefined ? {} : { presign: driver.presign }),
    stat: async (key) => even(key, await driver.stat(key)),
    async read(key, options) {
      const result = await driver.read(key, options)
      return result === null ? null : { ...result, info: even(key, result.info) }
    },
    write: async (key, body, options) => even(key, await driver.write(key, body, options)),
    delete: (key, options) => driver.delete(key, options),
    copy: async (from, to, options) => even(to, await driver.copy(from, to, options)),
    async list(prefix, options) {
      const page = await driver.list(prefix, options)
      return { ...page, entries: page.entries.map(evenEntry) }
    },
    listBuckets: (options) => driver.listBuckets(options),
    check: () => driver.check(),
    close: () => driver.close(),
  })
}
