import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import {
  type Connection,
  connect,
  type Delegation,
  generateStacksSigner,
  MandateError,
  stacksSigner,
} from '../client/index.ts'

export interface SmokeOptions {
  hub: string
  print: (line: string) => void
  /** Private key, in hex, of an address that may write there; a new one where anyone may. */
  key?: string | undefined
}

interface Stage {
  alice: Connection
  /** At alice's address. */
  bob: Connection
  mandate: Delegation
  own: string
  delegated: string
}

/** What is tried, in this order; each resolves with what was seen, and rejects where that is not as it should be. */
const steps: readonly (readonly [name: string, run: (stage: Stage) => Promise<string>])[] = [
  ['info', async ({ alice: { hub } }) => `${hub.software?.name ?? 'a hub'}, files at ${hub.readUrlPrefix}`],
  ['store', async ({ alice, own }) => (await alice.put(own, 'stored by alice')).publicUrl],
  ['read', ({ alice, own }) => expectText(alice, own, 'stored by alice')],
  ['grant', async ({ alice, mandate }) => (await alice.grant(mandate)).cid],
  [
    'delegated store',
    async ({ alice, bob, delegated }) => {
      await untilOtherInstancesKnow(alice, async () => !(await isRefused(bob, delegated, 'stored by bob')))
      return expectText(alice, delegated, 'stored by bob')
    },
  ],
  ['revoke', ({ alice, mandate }) => alice.revoke(mandate)],
  [
    'refusal',
    async ({ alice, bob, delegated }) => {
      await untilOtherInstancesKnow(alice, () => isRefused(bob, delegated, 'stored by bob'))
      return 'bob is refused'
    },
  ],
  [
    'delete',
    async ({ alice, own, delegated }) => {
      for (const path of [own, delegated]) await alice.delete(path, { anyVersion: true })
      const left = [await alice.head(own), await alice.head(delegated)].filter((file) => file !== null)
      if (left.length > 0) throw new Error('a file that was deleted can still be read')
      return 'nothing is left'
    },
  ],
]

/**
 * Tries the main things that a hub and its reader do, with files of its own that it deletes. Prints a line for each.
 * @returns whether all of it was as it should be
 */
export async function smoke({ hub, print, key }: SmokeOptions): Promise<boolean> {
  let stage: Stage | null = null
  let step = 'connect'
  try {
    stage = await openStage(hub, key)
    for (const [name, run] of steps) {
      step = name
      print(`ok      ${name.padEnd(15)} ${await run(stage)}`)
    }
    return true
  } catch (error) {
    print(`FAILED  ${step.padEnd(15)} ${error instanceof Error ? error.message : String(error)}`)
    if (stage !== null) await cleanUp(stage)
    return false
  }
}

async function openStage(hub: string, key: string | undefined): Promise<Stage> {
  const retry = { maxElapsedMs: 15_000 }
  const alice = await connect({
    hub,
    retry,
    signer: key === undefined ? generateStacksSigner() : stacksSigner(key),
  })
  const bob = (await connect({ hub, retry, signer: generateStacksSigner() })).at(alice.address)
  const folder = `smoke-${randomUUID()}/`
  const mandate = await alice.delegate({ to: bob.did, path: folder, can: 'store', expires: '1h' })
  return { alice, bob, mandate, own: `${folder}alice.txt`, delegated: `${folder}bob.txt` }
}

async function expectText(at: Connection, path: string, text: string): Promise<string> {
  const file = await at.get(path)
  if (file.text() !== text)
    throw new Error(`${path} holds ${file.bytes.length} bytes that were not stored there`)
  return `${file.bytes.length} bytes of ${file.contentType}`
}

/** @throws whatever fails for another reason than that it is not allowed */
async function isRefused(by: Connection, path: string, text: string): Promise<boolean> {
  try {
    await by.put(path, text, { overwrite: true })
    return false
  } catch (error) {
    if (error instanceof MandateError && (error.status === 401 || error.status === 403)) return true
    throw error
  }
}

/** PROTOCOL 2.6: an instance of the hub sees within this time what was told to another one. */
async function untilOtherInstancesKnow({ hub }: Connection, holds: () => Promise<boolean>): Promise<void> {
  const endMs = Date.now() + (hub.revocationMaxAgeSeconds ?? 0) * 1000 + 2_000
  while (!(await holds())) {
    if (Date.now() > endMs) throw new Error('the hub has not taken notice of it in time')
    await sleep(500)
  }
}

/** What failed is what there is to tell: that its files cannot be deleted either is no news. */
async function cleanUp({ alice, own, delegated }: Stage): Promise<void> {
  await Promise.allSettled([own, delegated].map((path) => alice.delete(path, { anyVersion: true })))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [hub] = process.argv.slice(2)
  if (hub === undefined) {
    process.stderr.write('usage: node build/deploy/smoke.js HUB_URL\n')
    process.stderr.write(
      'SMOKE_KEY: private key in hex of an address that may write, where not everyone may\n',
    )
    process.exitCode = 2
  } else {
    const isFine = await smoke({ hub, print: (line) => console.log(line), key: process.env.SMOKE_KEY })
    process.exitCode = isFine ? 0 : 1
  }
}
