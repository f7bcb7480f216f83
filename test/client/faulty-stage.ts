import { type ConnectOptions, connect } from '../../client/connect.ts'
import type { Connection } from '../../client/connection.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { fakeClock, startHub, startReader, type TestHub } from '../hub/harness.ts'
import { type Fate, FaultyProxy } from '../servers/faulty-proxy.ts'
import { alicesSigner } from './sdk-stage.ts'

/** A hub and a reader, each behind a proxy that does to requests what a test says. */
export interface FaultyStage {
  readonly hub: TestHub
  readonly toHub: FaultyProxy
  readonly toReader: FaultyProxy
  /** Connects alice through the proxies; tries again at once. */
  connect(options?: Partial<ConnectOptions>): Promise<Connection>
}

export const quickRetry = { baseDelayMs: 1, maxDelayMs: 5, maxElapsedMs: 5_000 }

/** One stage for all tests of the suite around the call; the proxies are well-behaved again before each. */
export function faultyStage(): { readonly stage: FaultyStage } {
  let stage: FaultyStage | undefined
  const closing: (() => Promise<unknown>)[] = []

  before(async () => {
    const driver = memoryDriver()
    const reader = await startReader(driver)
    const toReader = await FaultyProxy.start(reader.url)
    const clock = Object.assign(() => Date.now(), fakeClock())
    const hub = await startHub({ driver, clock, readUrlPrefix: toReader.url })
    const toHub = await FaultyProxy.start(hub.url)
    closing.push(
      () => toHub.stop(),
      () => hub.close(),
      () => toReader.stop(),
      () => reader.close(),
    )
    const connectAlice = (options: Partial<ConnectOptions> = {}) =>
      connect({
        hub: toHub.url,
        signer: alicesSigner(),
        retry: quickRetry,
        updateRetry: quickRetry,
        ...options,
      })
    stage = { hub, toHub, toReader, connect: connectAlice }
  })
  beforeEach(() => {
    if (stage === undefined) return
    for (const proxy of [stage.toHub, stage.toReader]) {
      proxy.decide = () => ({ do: 'pass' })
      proxy.requests.length = 0
    }
  })
  after(async () => {
    for (const close of closing) await close()
  })
  return {
    get stage() {
      if (stage === undefined) throw new Error('the stage of the suite stands while its tests run')
      return stage
    },
  }
}

/** What becomes of stores and deletes, one after the other; of everything else, and when the list is over: nothing. */
export function writesMeet(...fates: (Fate | (() => Fate | Promise<Fate>))[]): FaultyProxy['decide'] {
  return ({ url = '' }) => {
    if (!/^\/(?:store|delete)\//.test(url)) return { do: 'pass' }
    const fate = fates.shift() ?? { do: 'pass' as const }
    return typeof fate === 'function' ? fate() : fate
  }
}
