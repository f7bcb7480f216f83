import type { Driver } from './driver.ts'
import { DriverError } from './errors.ts'

/**
 * What a storage is opened for. `read`: only to be looked at and read, for which no right to change anything is
 * needed or tried.
 */
export type Access = 'read' | 'write'

const changing: ReadonlySet<string | symbol> = new Set(['write', 'delete', 'copy'] satisfies (keyof Driver)[])

/**
 * The same driver, but that it refuses to change anything (`backend`): what a storage that was opened for reading
 * does with a write was never tried. Whatever else the driver has stays as it is.
 */
export function readOnly(driver: Driver): Driver {
  return new Proxy(driver, {
    get(target, name) {
      if (changing.has(name)) return refuse
      const value: unknown = Reflect.get(target, name)
      // A driver's own fields are private to it: it must be `this`, and not what stands in for it.
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Stands for a call that would change something. @throws `backend` */
export async function refuse(_key: unknown, body?: unknown): Promise<never> {
  destroyBody(body)
  throw new DriverError('backend', 'the storage was opened for reading only')
}

/** The contract: a driver consumes or destroys a body in every case. */
function destroyBody(body: unknown): void {
  if (typeof body !== 'object' || body === null || !('destroy' in body)) return
  if ('on' in body && typeof body.on === 'function') body.on('error', () => undefined)
  if (typeof body.destroy === 'function') body.destroy()
}
