import { cidOf, maxChainLength, maxTokens } from '../hub/auth/ucan/index.ts'
import { loadClosed } from './closed-load.ts'
import { bucketOf, makeOwner, v1Token } from './owner.ts'
import { type BenchServer, serverName, startHub } from './servers.ts'
import { type Algorithm, addressOfSigner, makeSigner, makeUcan, type Signer } from './signers.ts'
import { median, spread } from './statistics.ts'
import { storeRequest } from './store-request.ts'

interface Credential {
  token: string
  /** The `ucans` header. */
  proofs?: string
}

/** Tokens that the hub has not seen, as many as one asks for. */
interface Case {
  name: string
  address: string
  mint: () => Credential
}

/** Each of two workers gets half the requests, and takes as much longer until what it runs is compiled. */
const warmUpRounds = 3

/** Fresh tokens that are made beforehand, for each second and worker. */
const maxRate = 4_000

/**
 * Stores of 1 KiB with a fresh token each, by one process and by two, in turns, on any core beside the load. That costs
 * little, but on a machine of two cores it still is the second worker's; and what a single process leaves to the
 * system and to its threads is on the other core as it is. @returns a Markdown table
 */
export async function measureWorkers(rounds: number, seconds: number): Promise<string> {
  const cases = [plain(), chain('EdDSA', 3), chain('ES256', 3), chain('ES256', maxChainLength), branches()]
  const lines: string[] = []
  const one = await startHub('none', { workers: 1, anyCore: true })
  const two = await startHub('none', { workers: 2, anyCore: true })
  try {
    for (const each of cases) {
      const rates: [number[], number[]] = [[], []]
      for (let round = -warmUpRounds; round < rounds; round++) {
        for (const [i, hub] of [one, two].entries()) {
          const rate = await measure(hub, each, seconds, i + 1)
          if (round >= 0) rates[i]?.push(rate)
          process.stderr.write(`${each.name}, ${i + 1}: ${rate.toFixed(0)} req/s\n`)
        }
      }
      lines.push(line(each.name, rates))
    }
  } finally {
    await Promise.all([one.stop(), two.stop()])
  }
  return [
    'Made by `TMPDIR=/dev/shm npm run bench -- --only workers`, files in memory, on any core beside the load. On two cores',
    'that leaves two workers little more than one: a single one has its main thread on one core, and the threads that write',
    'its files, with the load, on the other. What grows with the workers is what the main thread does: to verify, above all.',
    '',
    '| credential | one worker | two workers | ratio |',
    '| --- | --- | --- | --- |',
    ...lines,
    '',
  ].join('\n')
}

function plain(): Case {
  const owner = makeOwner()
  return { name: 'v1, a fresh token each', address: bucketOf(owner), mint: () => ({ token: v1Token(owner) }) }
}

/** From the owner over delegates to the invocation, all of them fresh, their proofs inline. */
function chain(algorithm: Algorithm, links: number): Case {
  const people = Array.from({ length: links }, () => makeSigner(algorithm))
  const [owner] = people
  if (owner === undefined) throw new RangeError('a chain has links')
  const address = addressOfSigner(owner)
  const kind = algorithm === 'EdDSA' ? 'Ed25519' : 'P-256'
  return {
    name: `${links}-link chain of ${kind}, each first seen`,
    address,
    mint() {
      const token = people.reduce((proof: string | null, issuer, i) => {
        const audience = people[i + 1]?.did ?? `did:web:${serverName}`
        return makeUcan(issuer, audience, address, proof === null ? [] : [proof])
      }, null)
      return { token: `ucan:${token}` }
    },
  }
}

/** As many tokens as a hub takes: an invocation of what it has by three ways from the owner, its proofs in the header. */
function branches(): Case {
  const owner = makeSigner('ES256')
  const address = addressOfSigner(owner)
  const invoker = makeSigner('ES256')
  const ways = Array.from({ length: 3 }, () => {
    const between = Array.from({ length: Math.floor((maxTokens - 1) / 3) - 1 }, () => makeSigner('ES256'))
    return [owner, ...between]
  })
  const delegate = (way: readonly Signer[]) => {
    const tokens: string[] = []
    for (const [i, issuer] of way.entries()) {
      const above = tokens.slice(-1).map(cidOf)
      tokens.push(makeUcan(issuer, way[i + 1]?.did ?? invoker.did, address, above, '0.9.1'))
    }
    return tokens
  }
  return {
    name: `${ways.flat().length + 1} tokens of P-256, each first seen`,
    address,
    mint() {
      const delegated = ways.map(delegate)
      const proofs = delegated.map((tokens) => cidOf(tokens.at(-1) ?? ''))
      const token = makeUcan(invoker, `did:web:${serverName}`, address, proofs, '0.9.1')
      const entries = delegated.flat().map((proof) => `${cidOf(proof)}: ${proof}`)
      return { token: `ucan:${token}`, proofs: entries.join(', ') }
    },
  }
}

let files = 0

async function measure(
  hub: BenchServer,
  { address, mint }: Case,
  seconds: number,
  workers: number,
): Promise<number> {
  const tokens = Array.from({ length: Math.ceil(maxRate * seconds * workers) }, mint)
  return loadClosed({
    port: Number(new URL(hub.url).port),
    request: () => {
      const credential = tokens.pop()
      if (credential === undefined) throw new Error('the fresh tokens have run out')
      return storeRequest(address, `file-${files++}`, credential.token, credential.proofs)
    },
    connections: 32,
    seconds,
  })
}

function line(name: string, [one, two]: [number[], number[]]): string {
  const ratio = median(two.map((rate, i) => rate / (one[i] ?? Number.NaN)))
  return `| ${name} | ${spread(one)} req/s | ${spread(two)} req/s | ${ratio.toFixed(2)} |`
}
