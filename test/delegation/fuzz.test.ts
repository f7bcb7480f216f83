import { expect } from 'chai'
import { parseAddress } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { WireError } from '../../http/errors.ts'
import { authenticator, type CredentialHeaders } from '../../hub/auth/authenticate.ts'
import { authorityStore } from '../../hub/auth/authority-store.ts'
import { authorize } from '../../hub/auth/authorize.ts'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import { associationJwt, legacyToken, serverName } from '../hub/tokens.ts'
import { can, mintChain, testNow, ucansHeader } from '../ucan/mint.ts'
import { keyKinds, persona } from '../ucan/personas.ts'
import { alice, bob, carol, dave, delegate, invoke, personOf, v1 } from './people.ts'

/** Mutations to try; `MANDATE_FUZZ_RUNS=1000000` for the long run. */
const runs = Number(process.env.MANDATE_FUZZ_RUNS ?? 60_000)
/** A run that fails is had again with the seed that it names. */
const seed = Number(process.env.MANDATE_FUZZ_SEED ?? Date.now() % 2 ** 31)

/** Xorshift, 32 bits. */
function randomNumbers(from: number): (below: number) => number {
  let state = from === 0 ? 1 : from | 0
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const random = randomNumbers(seed)

function pick<Item>(items: readonly Item[]): Item {
  const item = items[random(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** What is let through as it stands, at one address. */
interface Good {
  address: string
  authorization: string
  ucans: string
}

const good: Good[] = [
  { address: alice.address, authorization: `Bearer ${v1(alice)}`, ucans: '' },
  { address: alice.address, authorization: `Bearer ${v1(bob)}`, ucans: '' },
  { address: alice.address, authorization: `Bearer ${legacyToken(personOf(alice))}`, ucans: '' },
  {
    address: alice.address,
    authorization: `Bearer ${v1(alice, { associationToken: associationJwt(personOf(bob), personOf(alice)) })}`,
    ucans: '',
  },
  {
    address: alice.address,
    authorization: `Bearer ${v1(alice, { scopes: [{ scope: 'putFile', domain: 'photos/a' }] })}`,
    ucans: '',
  },
  ...keyKinds.flatMap((kind): Good[] => {
    const owner = persona('olivia', kind)
    const { address } = owner
    const held = [can(owner, 'photos/', 'gaia/store')]
    const people = [owner, carol, dave]
    const links = (version: '0.8.1' | '0.10.0') =>
      people.map((issuer) => ({ issuer, version, capabilities: held }))
    const [, , inline = ''] = mintChain(links('0.8.1'))
    const [root = '', middle = '', named = ''] = mintChain(links('0.10.0'))
    return [
      { address, authorization: `Bearer ucan:${inline}`, ucans: '' },
      { address, authorization: `Bearer ${named}`, ucans: ucansHeader(middle, root) },
      { address, authorization: `Bearer ${invoke(owner, held)}`, ucans: '' },
      { address, authorization: `Bearer ${invoke(carol, held)}`, ucans: '' },
    ]
  }),
]

const store = authorityStore({ driver: memoryDriver(), cacheSize: 100, revocationMaxAgeSeconds: 3600 })
const hub = authenticator({
  serverName,
  requireCorrectHubUrl: false,
  validHubUrls: [],
  whitelist: null,
  maxInvocationLifetimeSeconds: 86_400,
  authorityStore: store,
  now: () => testNow * 1000,
})

/** Grants to Bob at Alice's address and to Carol at each Olivia's. */
async function depositGrants(): Promise<void> {
  const owners = [alice, ...keyKinds.map((kind) => persona('olivia', kind))]
  for (const [index, owner] of owners.entries()) {
    const ucan = delegate(owner, index === 0 ? bob : carol, [can(owner, 'photos/', 'gaia/store')])
    const audience = index === 0 ? bob.did : carol.did
    const grant = { cid: cidOf(ucan), ucan, proofs: [], audience, depositedAt: testNow }
    await store.deposit(parseAddress(owner.address), grant)
  }
}

const alphabet = [
  ...'ABCabc019-_.=+/ ,:{}"\\'.split(''),
  '\u0000',
  '\t',
  '\u00e9',
  '\ud800',
  'v1:',
  'ucan:',
  'bearer ',
  '%3A',
]

/** One to three edits: a character changed or put in, a part cut, doubled, turned about, or taken from elsewhere. */
function mutate(text: string, other: string): string {
  let mutated = text
  for (let edits = 1 + random(3); edits > 0; edits--) {
    const at = random(mutated.length + 1)
    const to = at + random(12)
    const [before, part, after] = [mutated.slice(0, at), mutated.slice(at, to), mutated.slice(to)]
    switch (pick(['change', 'insert', 'cut', 'double', 'reverse', 'splice', 'truncate', 'flip'] as const)) {
      case 'change':
        mutated = before + pick(alphabet) + mutated.slice(at + 1)
        break
      case 'insert':
        mutated = before + pick(alphabet) + part + after
        break
      case 'cut':
        mutated = before + after
        break
      case 'double':
        mutated = before + part + part + after
        break
      case 'reverse':
        mutated = before + part.split('').reverse().join('') + after
        break
      case 'splice':
        mutated = before + other.slice(random(other.length + 1))
        break
      case 'truncate':
        mutated = before
        break
      case 'flip':
        mutated =
          before + part.replace(/^./s, (c) => String.fromCharCode(c.charCodeAt(0) ^ (1 << random(7)))) + after
    }
  }
  return mutated
}

/** `allowed`, or the code of the refusal; anything but a refusal in good form fails. */
async function verdict(headers: CredentialHeaders, address: string): Promise<string> {
  try {
    const authority = await hub.authenticate(headers, parseAddress(address))
    authorize(authority, { kind: 'store', path: 'photos/a', size: 1, contentType: 'text/plain' })
    return 'allowed'
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    expect(error.code).to.be.oneOf(['unauthorized', 'not_authorized'])
    const text = JSON.stringify([error.message, error.details])
    for (const run of text.match(/[\w-]{16,}/g) ?? []) {
      const isTold = `${headers.authorization} ${headers.ucans?.toString()}`.includes(run)
      expect(isTold, `a part of a token is told: ${text}`).to.equal(false)
    }
    return typeof error.details.code === 'string' ? error.details.code : 'none'
  }
}

/** What a credential says, whatever spelling of it the protocol leaves free. */
function meaning(authorization: string): string {
  const token = authorization.replace(/^bearer +/i, '').replace(/^ucan:/, '')
  if (token.startsWith('v1:') || token.includes('.')) return token
  try {
    const { publickey, signature } = JSON.parse(Buffer.from(token, 'base64').toString()) as Record<
      string,
      unknown
    >
    return JSON.stringify([publickey, signature]).toLowerCase()
  } catch {
    return token
  }
}

function entries(ucans: string): Set<string> {
  return new Set(ucans.split(',').map((entry) => entry.replace(/[ \t]/g, '')))
}

/** Whether something is one of the credentials that are good at an address, with every proof that it needs. */
function isGood(mutated: Good): boolean {
  const sent = entries(mutated.ucans)
  return good.some(
    ({ address, authorization, ucans }) =>
      address === mutated.address &&
      meaning(authorization) === meaning(mutated.authorization) &&
      (ucans === '' || [...entries(ucans)].every((entry) => sent.has(entry))),
  )
}

describe(`mutated headers (seed ${seed})`, function () {
  this.timeout(Math.max(60_000, runs * 10))

  before(depositGrants)

  it('are let through as they stand, each of them', async () => {
    for (const { address, authorization, ucans } of good) {
      expect(await verdict({ authorization, ucans }, address)).to.equal('allowed')
    }
  })

  it('never crash the hub, leave nothing unhandled, and are never let through', async () => {
    const codes = new Map<string, number>()
    const unhandled: unknown[] = []
    const note = (reason: unknown) => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    try {
      for (let run = 0; run < runs; run++) {
        const mutated = { ...pick(good) }
        const other = pick(good)
        const name = mutated.ucans !== '' && random(2) === 0 ? 'ucans' : 'authorization'
        mutated[name] = mutate(mutated[name], pick([other.authorization, other.ucans]))
        const { address, ...headers } = mutated
        const code = await verdict(headers, address)
        codes.set(code, (codes.get(code) ?? 0) + 1)
        if (code === 'allowed' && !isGood(mutated)) throw new Error(`run ${run} was let through`)
      }
      await new Promise((resolve) => {
        setImmediate(resolve)
      })
    } finally {
      process.off('unhandledRejection', note)
    }
    expect(unhandled).to.deep.equal([])
    expect([...codes.keys()]).to.include.members(['malformed', 'bad-signature', 'missing-proof'])
    if (runs >= 1_000_000) console.log(JSON.stringify({ seed, runs, ...Object.fromEntries(codes) }))
  })
})
