import type { Readable } from 'node:stream'
import type { Driver } from '../../drivers/driver.ts'
import type { Key } from '../../drivers/key.ts'

export type DriverCall = 'stat' | 'read' | 'write' | 'delete' | 'copy' | 'list'

/** What happens before a call is handed on: it may wait, or reject with what the caller is to see. */
export type Fault = (key: string) => Promise<void> | void

export interface FaultyDriver extends Driver {
  /** Every call that was made, in order, as `<call> <key>`; a listing has its prefix. */
  readonly calls: readonly string[]
  /**
   * Runs `fault` before every such call on the names that `applies` takes.
   * @returns what takes the fault away again
   */
  inject(call: DriverCall, fault: Fault, applies?: (key: string) => boolean): () => void
}

/** A driver that hands every call on, and fails, hangs or is slow where a test says so. */
export function faultyDriver(inner: Driver): FaultyDriver {
  const calls: string[] = []
  const faults = new Set<{ call: DriverCall; fault: Fault; applies: (key: string) => boolean }>()

  async function before(call: DriverCall, key: string): Promise<void> {
    calls.push(`${call} ${key}`)
    for (const entry of faults) if (entry.call === call && entry.applies(key)) await entry.fault(key)
  }

  return {
    name: `faulty ${inner.name}`,
    capabilities: inner.capabilities,
    calls,
    inject(call, fault, applies = () => true) {
      const entry = { call, fault, applies }
      faults.add(entry)
      return () => void faults.delete(entry)
    },
    async stat(key) {
      await before('stat', key)
      return inner.stat(key)
    },
    async read(key, options) {
      await before('read', key)
      return inner.read(key, options)
    },
    async write(key: Key, body: Readable, options) {
      try {
        await before('write', key)
      } catch (error) {
        body.on('error', () => undefined).destroy()
        throw error
      }
      return inner.write(key, body, options)
    },
    async delete(key, options) {
      await before('delete', key)
      return inner.delete(key, options)
    },
    listBuckets: (options) => inner.listBuckets(options),
    async copy(from, to, options) {
      await before('copy', from)
      return inner.copy(from, to, options)
    },
    async list(prefix, options) {
      await before('list', prefix)
      return inner.list(prefix, options)
    },
    check: () => inner.check(),
    close: () => inner.close(),
  }
}

/** A fault that holds calls back until a test opens the gate. */
export interface Gate {
  readonly fault: Fault
  /** Resolves when the first call stands at the gate. */
  readonly reached: Promise<void>
  open(): void
}

export function gate(): Gate {
  const reached = deferred()
  const opened = deferred()
  return {
    fault: () => {
      reached.resolve()
      return opened.promise
    },
    reached: reached.promise,
    open: opened.resolve,
  }
}

/** A promise and what fulfils it. */
export function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil
  })
  return { promise, resolve }
}
