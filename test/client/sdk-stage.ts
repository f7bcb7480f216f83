import { type ConnectOptions, connect } from '../../client/connect.ts'
import type { Connection } from '../../client/connection.ts'
import type { Signer } from '../../client/signers/signer.ts'
import { stacksSigner } from '../../client/signers/stacks-signer.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import type { RunningServer } from '../../http/server.ts'
import { fakeClock, type HubOverrides, startHub, startReader, type TestHub } from '../hub/harness.ts'
import { alice } from '../hub/people.ts'

/** A hub and a reader over one storage, and clients of theirs. */
export interface SdkStage {
  readonly hub: TestHub
  readonly reader: RunningServer
  /** Connects alice, or whoever signs. */
  connect(options?: Partial<ConnectOptions>): Promise<Connection>
  close(): Promise<void>
}

export const alicesSigner = (): Signer => stacksSigner(alice.privateKeyHex)

/** The clock of the hub runs, since clients wait. */
export async function startSdkStage(overrides: HubOverrides = {}): Promise<SdkStage> {
  const driver = overrides.driver ?? memoryDriver()
  const reader = await startReader(driver)
  const hub = await startHub({
    driver,
    readUrlPrefix: `${reader.url}/`,
    clock: Object.assign(() => Date.now(), fakeClock()),
    ...overrides,
  })
  return {
    hub,
    reader,
    connect: (options = {}) => connect({ hub: hub.url, signer: alicesSigner(), ...options }),
    close: async () => {
      await hub.close()
      await reader.close()
    },
  }
}

/** One stage for all tests of the suite around the call. */
export function suiteStage(overrides: () => HubOverrides = () => ({})): { readonly stage: SdkStage } {
  let running: SdkStage | undefined
  before(async () => {
    running = await startSdkStage(overrides())
  })
  after(() => running?.close())
  return {
    get stage() {
      if (running === undefined) throw new Error('the stage of the suite stands while its tests run')
      return running
    },
  }
}
