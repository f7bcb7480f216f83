import { loadStores } from './load.ts'
import { bucketOf, makeOwner, v1Token } from './owner.ts'
import { type BenchServer, serverName, startHub } from './servers.ts'
import { addressOfSigner, makeSigner, makeUcan } from './signers.ts'
import { median, spread } from './statistics.ts'

/** How writers sign, and what one sends with each request. */
interface Case {
  name: string
  /** The case that it is compared with. */
  beside: string
  address: string
  /** Tokens, with their prefix; each is used once, unless there is only one. */
  tokens: string[]
}

const body = Buffer.alloc(1024, 'x')

/** Fresh tokens that are made beforehand, for each second. */
const maxRate = 4_000

/**
 * Stores of 1 KiB through a chain of three Ed25519 tokens (owner, delegate, invocation; inline proofs) beside plain
 * v1 stores, on one hub over the disk driver, in turns. @returns a Markdown table
 */
export async function measureDelegation(rounds: number, seconds: number): Promise<string> {
  const fresh = Math.ceil(maxRate * seconds)
  const cases = [plain(1), chain(1), plain(fresh * (rounds + 1)), chain(fresh * (rounds + 1))]
  const rates = new Map<string, number[]>(cases.map(({ name }) => [name, []]))
  const hub = await startHub('fsync')
  try {
    for (let round = 0; round <= rounds; round++) {
      for (const one of cases) {
        const rate = await measure(hub, one, seconds)
        // The first round warms up.
        if (round > 0) rates.get(one.name)?.push(rate)
        process.stderr.write(`${one.name}: ${rate.toFixed(0)} req/s\n`)
      }
    }
  } finally {
    await hub.stop()
  }
  return table(cases, rates)
}

/** Plain v1 tokens of one owner. */
function plain(count: number): Case {
  const owner = makeOwner()
  const tokens = Array.from({ length: count }, () => v1Token(owner))
  const name = count === 1 ? 'v1, one token' : 'v1, a fresh token each'
  return { name, beside: name, address: bucketOf(owner), tokens }
}

/** Chains of three people; where they are fresh, all three tokens are. */
function chain(count: number): Case {
  const [alice, bob, carol] = [makeSigner(), makeSigner(), makeSigner()]
  const address = addressOfSigner(alice)
  const hubDid = `did:web:${serverName}`
  const tokens = Array.from({ length: count }, () => {
    const root = makeUcan(alice, bob.did, address, [])
    return `ucan:${makeUcan(carol, hubDid, address, [makeUcan(bob, carol.did, address, [root])])}`
  })
  return count === 1
    ? { name: '3-link chain, repeated', beside: 'v1, one token', address, tokens }
    : { name: '3-link chain, each first seen', beside: 'v1, a fresh token each', address, tokens }
}

let files = 0

async function measure(hub: BenchServer, { address, tokens }: Case, seconds: number): Promise<number> {
  const isReused = tokens.length === 1
  const result = await loadStores({
    url: hub.url,
    path: () => `/store/${address}/file-${files++ % 256}`,
    headers: () => {
      const token = isReused ? tokens[0] : tokens.pop()
      if (token === undefined) throw new Error('the fresh tokens have run out')
      return { Authorization: `bearer ${token}`, 'Content-Type': 'text/plain' }
    },
    body,
    connections: 32,
    seconds,
  })
  return result.requestsPerSecond
}

function table(cases: readonly Case[], rates: ReadonlyMap<string, number[]>): string {
  const lines = cases.map(({ name, beside }) => {
    const own = rates.get(name) ?? []
    const other = rates.get(beside) ?? []
    const ratio = median(own.map((rate, i) => rate / (other[i] ?? Number.NaN)))
    return `| ${name} | ${spread(own)} req/s | ${(ratio * 100).toFixed(0)} % of ${beside} |`
  })
  return ['| credential | stores of 1 KiB | beside |', '| --- | --- | --- |', ...lines, ''].join('\n')
}
