import { expect } from 'chai'
import { parseUcansHeader, UcanError } from '../../hub/auth/ucan/index.ts'
import { can, compose, hubDid, mint, mintChain, signJws, testNow, ucansHeader } from './mint.ts'
import { alice, bob, carol, keyKinds, type Persona, persona } from './personas.ts'
import { outcomeOf, storing, verifying } from './verifying.ts'

/** Mutations to try; `UCAN_FUZZ_RUNS=1000000` for the long run. */
const runs = Number(process.env.UCAN_FUZZ_RUNS ?? 40_000)
/** A run that fails is had again with the seed that it names. */
const seed = Number(process.env.UCAN_FUZZ_SEED ?? Date.now() % 2 ** 31)

/** Mulberry32: small, fast, and the same everywhere. */
function randomNumbers(from: number): (below: number) => number {
  let state = from | 0
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const random = randomNumbers(seed)

function pick<T>(items: readonly T[]): T {
  const item = items[random(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

interface Seed {
  jwt: string
  header: string
  address: string
}

const links = (owner: Persona, version: '0.8.1' | '0.10.0') =>
  [owner, bob, carol].map((issuer) => ({
    issuer,
    version,
    capabilities: [can(owner, 'photos/', 'gaia/store')],
  }))

const seeds: Seed[] = keyKinds.flatMap((kind) => {
  const owner = persona('olivia', kind)
  const [, , inline = ''] = mintChain(links(owner, '0.8.1'))
  const [root = '', middle = '', named = ''] = mintChain(links(owner, '0.10.0'))
  return [
    { jwt: inline, header: '', address: owner.address },
    { jwt: named, header: ucansHeader(middle, root), address: owner.address },
  ]
})

const alphabet = [
  'A',
  'b',
  '0',
  '9',
  '-',
  '_',
  '.',
  '=',
  '+',
  '/',
  ' ',
  ',',
  ':',
  '{',
  '"',
  '\\',
  '\u0000',
  '\u00e9',
  '\ud800',
]

/** One to three edits of a text: a character changed, a part cut, doubled, or moved in from another text. */
function mutate(text: string, other: string): string {
  let mutated = text
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const at = random(mutated.length + 1)
    const to = at + random(12)
    const edit = pick(['change', 'cut', 'double', 'splice', 'truncate'])
    if (edit === 'change') mutated = mutated.slice(0, at) + pick(alphabet) + mutated.slice(at + 1)
    else if (edit === 'cut') mutated = mutated.slice(0, at) + mutated.slice(to)
    else if (edit === 'double') mutated = mutated.slice(0, to) + mutated.slice(at)
    else if (edit === 'splice') mutated = mutated.slice(0, at) + other.slice(random(other.length + 1))
    else mutated = mutated.slice(0, at)
  }
  return mutated
}

/** What the verifier makes of a credential and its header; anything but a verdict fails the test. */
async function verdict(jwt: string, header: string, address: string): Promise<string> {
  try {
    const chain = await verifying(jwt, { address, proofs: parseUcansHeader(header) })
    return outcomeOf(chain, storing('photos/a'))
  } catch (error) {
    if (error instanceof UcanError) return error.code
    throw error
  }
}

const junk: unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  'x',
  '*',
  [],
  [[]],
  {},
  { __proto__: null },
  [null],
  { with: 1 },
  [{ with: `gaia://${alice.address}/`, can: '*' }],
  testNow,
  alice.did,
  hubDid,
]

/** A properly signed token of Bob's with some claim replaced by junk, which may well be good. */
function resignedJunk(): string {
  const version = pick(['0.8.1', '0.9.1', '0.10.0'] as const)
  const grant = mint({
    issuer: alice,
    audience: bob,
    version,
    capabilities: [can(alice, 'photos/', 'gaia/store')],
  })
  const { header, payload } = compose({ issuer: bob, audience: hubDid, version, proofs: [grant] })
  const target = pick([header, payload])
  const claim = pick([
    ...Object.keys(target),
    'att',
    'cap',
    'fct',
    'nnc',
    'crit',
    'iat',
    '__proto__',
    'constructor',
  ])
  Object.defineProperty(target, claim, { value: pick(junk), enumerable: true, configurable: true })
  return signJws(JSON.stringify(header), JSON.stringify(payload), bob)
}

describe(`mutated credentials (seed ${seed})`, function () {
  this.timeout(Math.max(60_000, runs * 10))

  it('are refused with a code, and never crash the verifier', async () => {
    const codes = new Set<string>()
    for (let run = 0; run < runs; run++) {
      const { jwt, header, address } = pick(seeds)
      const other = pick(seeds)
      const isHeader = header !== '' && random(2) === 0
      const mutated = isHeader ? mutate(header, other.header) : mutate(jwt, other.jwt)
      const code = await (isHeader ? verdict(jwt, mutated, address) : verdict(mutated, header, address))
      codes.add(code)
      // Edits may cancel each other out, or put another good token in the place of the whole.
      const isUnchanged = isHeader
        ? holdsAllOf(mutated, header)
        : seeds.some((whole) => whole.jwt === mutated)
      if (code === 'allowed' && !isUnchanged) throw new Error(`run ${run} was let through`)
    }
    expect([...codes]).to.include.members(['malformed', 'bad-signature'])
  })

  it('are refused with a code where they are properly signed nonsense', async () => {
    const codes = new Set<string>()
    for (let run = 0; run < runs / 20; run++) codes.add(await verdict(resignedJunk(), '', alice.address))
    expect([...codes]).to.include.members(['malformed', 'not-covered'])
    expect([...codes]).not.to.include('allowed')
  })
})

/** Space around the entries of a header means nothing, nor do entries that nothing names. */
function holdsAllOf(mutated: string, original: string): boolean {
  const entries = (text: string) => new Set(text.split(',').map((entry) => entry.replace(/[ \t]/g, '')))
  const kept = entries(mutated)
  return [...entries(original)].every((entry) => kept.has(entry))
}
