import type { Driver } from './driver.ts'

/** The calls that are told of, by the names that they have in metrics and traces. */
export type DriverCall = 'stat' | 'read' | 'write' | 'delete' | 'copy' | 'list' | 'list_buckets' | 'check'

/**
 * Runs one call and tells of it whatever it likes; what the call resolves or rejects with is handed on unchanged. A
 * `read` is over when its body can be read, not when it has been.
 */
export type DriverObserver = <Result>(call: DriverCall, run: () => Promise<Result>) => Promise<Result>

/** The same driver, of whose calls somebody is told. */
export function observedDriver(driver: Driver, observe: DriverObserver): Driver {
  return {
    name: driver.name,
    capabilities: driver.capabilities,
    ...(driver.presign === undefined ? {} : { presign: driver.presign }),
    stat: (key) => observe('stat', () => driver.stat(key)),
    read: (key, options) => observe('read', () => driver.read(key, options)),
    write: (key, body, options) => observe('write', () => driver.write(key, body, options)),
    delete: (key, options) => observe('delete', () => driver.delete(key, options)),
    copy: (from, to, options) => observe('copy', () => driver.copy(from, to, options)),
    list: (prefix, options) => observe('list', () => driver.list(prefix, options)),
    listBuckets: (options) => observe('list_buckets', () => driver.listBuckets(options)),
    check: () => observe('check', () => driver.check()),
    close: () => driver.close(),
  }
}
