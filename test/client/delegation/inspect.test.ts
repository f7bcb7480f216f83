import { expect } from 'chai'
import { Delegation } from '../../../client/delegation/delegation.ts'
import { inspect } from '../../../client/delegation/inspect.ts'
import { MandateError } from '../../../client/errors.ts'
import { UcanError, verifyChain } from '../../../hub/auth/ucan/index.ts'
import { type CapabilityClaim, can, type MintOptions, mint, testNow } from '../../ucan/mint.ts'
import { alice, bob, carol, didPkhOf, keyKinds, mallory, type Persona, persona } from '../../ucan/personas.ts'
import { thrown } from './refusal.ts'

const now = () => testNow * 1000

const photos = [can(alice, 'photos/', 'gaia/store')]

/** A grant of Alice's to Bob, good unless changed. */
function aliceToBob(changes: Partial<MintOptions> = {}): string {
  return mint({ issuer: alice, audience: bob, capabilities: photos, ...changes })
}

function bobToCarol(proof: string, changes: Partial<MintOptions> = {}): string {
  return mint({ issuer: bob, audience: carol, capabilities: photos, proofs: [proof], ...changes })
}

/** Signed by `mallory` in the name of somebody else. */
const forged = { signer: mallory }

interface Case {
  readonly what: string
  /** The outermost token, then those beside it. */
  readonly tokens: readonly string[]
  /** `code link` of each problem; none for a good one. */
  readonly problems: readonly string[]
}

function later(issuer: Persona, seconds: number, ability = 'gaia/store'): Partial<MintOptions> {
  return { issuer, expiration: testNow + seconds, capabilities: [can(alice, 'photos/', ability)] }
}

const byTen = aliceToBob({ version: '0.10.0' })

const cases: readonly Case[] = [
  { what: 'a single link', tokens: [aliceToBob()], problems: [] },
  { what: 'two links', tokens: [bobToCarol(aliceToBob())], problems: [] },
  {
    what: 'proofs by CID',
    tokens: [bobToCarol(byTen, { version: '0.10.0' }), byTen],
    problems: [],
  },
  {
    what: 'a grant to an address that its key uses',
    tokens: [
      mint({
        issuer: persona('bob', 'secp256k1'),
        audience: carol,
        capabilities: photos,
        proofs: [aliceToBob({ audience: didPkhOf(persona('bob', 'secp256k1')) })],
      }),
    ],
    problems: [],
  },
  {
    what: 'an archive that comes from a store',
    tokens: [bobToCarol(aliceToBob(), later(bob, 60, 'gaia/archive'))],
    problems: [],
  },
  { what: 'a forged root', tokens: [bobToCarol(aliceToBob(forged))], problems: ['bad-signature 1'] },
  { what: 'a forged end', tokens: [bobToCarol(aliceToBob(), forged)], problems: ['bad-signature 0'] },
  {
    what: 'an expired proof',
    tokens: [bobToCarol(aliceToBob({ expiration: testNow }), later(bob, -1))],
    problems: ['expired 0', 'expired 1'],
  },
  {
    what: 'what has not begun',
    tokens: [aliceToBob({ notBefore: testNow + 61 })],
    problems: ['not-yet-valid 0'],
  },
  { what: 'a clock that runs ahead', tokens: [aliceToBob({ notBefore: testNow + 60 })], problems: [] },
  {
    what: 'a window that ends before it begins',
    tokens: [aliceToBob({ notBefore: testNow + 30, expiration: testNow + 30 })],
    problems: ['time-bounds 0'],
  },
  {
    what: 'a child that outlives its proof',
    tokens: [bobToCarol(aliceToBob(), later(bob, 3601))],
    problems: ['time-bounds 0'],
  },
  {
    what: 'a child that begins before its proof',
    tokens: [bobToCarol(aliceToBob({ notBefore: testNow - 5 }), { notBefore: testNow - 6 })],
    problems: ['time-bounds 0'],
  },
  {
    what: 'a stranger who hands on',
    tokens: [bobToCarol(aliceToBob(), { issuer: mallory })],
    problems: ['principal-mismatch 0'],
  },
  {
    what: 'a root that owns nothing here',
    tokens: [mint({ issuer: mallory, audience: bob, capabilities: photos })],
    problems: ['root-not-owner 0'],
  },
  {
    what: 'a chain from a stranger',
    tokens: [bobToCarol(mint({ issuer: mallory, audience: bob, capabilities: photos }))],
    problems: ['root-not-owner 1'],
  },
  {
    what: 'a wider path',
    tokens: [bobToCarol(aliceToBob(), { capabilities: [can(alice, 'photo', 'gaia/store')] })],
    problems: ['not-covered 0'],
  },
  {
    what: 'another ability',
    tokens: [bobToCarol(aliceToBob(), { capabilities: [can(alice, 'photos/', 'gaia/delete')] })],
    problems: ['not-covered 0'],
  },
  {
    what: 'gaia/grant from gaia/*',
    tokens: [
      bobToCarol(aliceToBob({ capabilities: [can(alice, '', 'gaia/*')] }), {
        capabilities: [can(alice, 'photos/', 'gaia/grant')],
      }),
    ],
    problems: ['not-covered 0'],
  },
  ...caveatCases(),
  {
    what: 'a proof that is not there',
    tokens: [bobToCarol(byTen, { version: '0.10.0' })],
    problems: ['missing-proof 0'],
  },
]

function caveatCases(): Case[] {
  const rows: ReadonlyArray<[string, CapabilityClaim['nb'], CapabilityClaim['nb'], boolean]> = [
    ['a caveat that is dropped', { maxSize: 5 }, undefined, false],
    ['a larger size', { maxSize: 5 }, { maxSize: 6 }, false],
    ['a smaller size', { maxSize: 5 }, { maxSize: 4, createOnly: true }, true],
    ['another type', { contentType: ['image/*'] }, { contentType: ['image/png', 'text/plain'] }, false],
    ['one of its types', { contentType: ['image/*'] }, { contentType: ['image/png'] }, true],
    ['an overwrite of what is create-only', { createOnly: true }, { maxSize: 5 }, false],
  ]
  return rows.map(([what, parent, child, isGood]) => ({
    what,
    tokens: [
      bobToCarol(aliceToBob({ capabilities: [can(alice, 'photos/', 'gaia/store', parent)] }), {
        capabilities: [can(alice, 'photos/', 'gaia/store', child)],
      }),
    ],
    problems: isGood ? [] : ['not-covered 0'],
  }))
}

describe('inspect', () => {
  for (const { what, tokens, problems } of cases) {
    it(`${problems.length === 0 ? 'finds nothing wrong with' : `tells ${problems.join(', ')} of`} ${what}, as a hub`, async () => {
      const [token = '', ...beside] = tokens
      const inspection = await inspect(Delegation.of(token, beside), { now })
      expect(inspection.problems.map(({ code, link }) => `${code} ${link}`)).to.deep.equal(problems)
      expect(inspection.valid).to.equal(problems.length === 0)
      expect(await saysOfHub(token, beside)).to.equal(problems[0] ?? 'valid')
      for (const { message, link } of inspection.problems) {
        expect(message).to.include(`link ${link}`)
        expect(tokens.some((jwt) => jwt.split('.').some((part) => message.includes(part)))).to.equal(false)
      }
    })
  }

  for (const kind of keyKinds) {
    it(`verifies signatures of ${kind} keys: any changed bit of one is told`, async () => {
      const owner = persona('an owner', kind)
      const good = mint({ issuer: owner, audience: bob, capabilities: [can(owner, '', '*')] })
      expect((await inspect(Delegation.of(good), { now })).valid).to.equal(true)
      const [head = '', body = '', signature = ''] = good.split('.')
      for (const index of [0, 31, 32, 63]) {
        const bytes = Buffer.from(signature, 'base64url')
        bytes[index] = (bytes[index] ?? 0) ^ 4
        const changed = Delegation.of([head, body, bytes.toString('base64url')].join('.'))
        expect((await inspect(changed, { now })).problems.map(({ code }) => code)).to.deep.equal([
          'bad-signature',
        ])
      }
    })
  }

  it('never takes a text of which one character was changed for a good one', async () => {
    const text = bobToCarol(aliceToBob())
    for (let i = 0; i < text.length; i++) {
      const other = text[i] === 'A' ? 'B' : 'A'
      expect(await isGood(text.slice(0, i) + other + text.slice(i + 1)), `character ${i}`).to.equal(false)
    }
    expect(await isGood(text)).to.equal(true)
  })

  it('shows the chain link by link, as data', async () => {
    const root = aliceToBob({ issuedAt: testNow - 10 })
    const capabilities = [can(alice, 'photos/', 'gaia/archive')]
    const chain = Delegation.of(bobToCarol(root, { capabilities, notBefore: testNow - 5 }))
    const [first, second] = (await inspect(chain, { now })).links
    expect(first).to.deep.include({ link: 0, version: '0.8.1', issuer: bob.did, audience: carol.did })
    expect(first).to.deep.include({ notBefore: testNow - 5, expiration: testNow + 3600, signature: 'valid' })
    expect(first?.proofs).to.deep.equal([second?.cid])
    expect(first?.capabilities).to.deep.equal([
      { ...can(alice, 'photos/', 'gaia/archive'), proven: 'stores' },
    ])
    expect(second).to.deep.include({
      link: 1,
      issuer: alice.did,
      issuerAddress: alice.address,
      notBefore: null,
    })
    expect(second).to.deep.include({ issuedAt: testNow - 10, proofs: [] })
    expect(second?.capabilities).to.deep.equal([{ ...photos[0], proven: 'all' }])
  })

  it('shows nothing as proven that rests on a stranger, not even the stores of an archive', async () => {
    const root = mint({ issuer: mallory, audience: bob, capabilities: photos })
    const chain = Delegation.of(bobToCarol(root, { capabilities: [can(alice, 'photos/', 'gaia/archive')] }))
    const { links } = await inspect(chain, { now })
    expect(links.flatMap(({ capabilities }) => capabilities.map(({ proven }) => proven))).to.deep.equal([
      'nothing',
      'nothing',
    ])
  })

  it('refuses a chain that is too long by any way, though a shorter one leads to its root', () => {
    const tokens: string[] = []
    for (let i = 0; i < 9; i++) {
      const previous = tokens.slice(0, 1)
      const proofs = i === 8 ? tokens : previous
      tokens.unshift(mint({ issuer: bob, audience: bob, version: '0.10.0', capabilities: photos, proofs }))
    }
    const [outer = '', ...beside] = tokens
    expect(thrown(() => Delegation.of(outer, beside)).code).to.equal('too-deep')
    const [shorter = '', ...others] = beside
    expect(Delegation.of(shorter, others).chain.tokens.length).to.equal(8)
  })

  it('takes a hostile chain, in which every link names each proof many times, apart at once', async () => {
    let proofs: string[] = []
    const all: string[] = []
    for (let depth = 0; depth < 7; depth++) {
      const pair = [0, 1].map((n) =>
        mint({
          issuer: bob,
          audience: bob,
          version: '0.10.0',
          capabilities: [can(alice, `photos/${n}`, 'gaia/store')],
          proofs: proofs.flatMap((proof) => Array<string>(4).fill(proof)),
        }),
      )
      all.unshift(...pair)
      proofs = pair
    }
    const [outer = '', , ...beside] = all
    const began = performance.now()
    const inspection = await inspect(Delegation.of(outer, beside), { now })
    expect(inspection.valid).to.equal(false)
    expect(performance.now() - began).to.be.lessThan(2_000)
  })
})

/** `false` for what is no delegation as well; any error that is not the library's own fails. */
async function isGood(text: string): Promise<boolean> {
  try {
    return (await inspect(Delegation.parse(text), { now })).valid
  } catch (error) {
    if (error instanceof MandateError) return false
    throw error
  }
}

/** `valid`, or `code link`: what the verifier of the hub says first of a deposited grant. */
async function saysOfHub(token: string, beside: readonly string[]): Promise<string> {
  const proofs = new Map(beside.map((jwt) => [Delegation.of(jwt).cid, jwt]))
  try {
    const chain = await verifyChain(token, {
      purpose: 'delegation',
      address: alice.address,
      now: testNow,
      proofs,
      oldestValidSeconds: () => Promise.resolve(null),
      isRevoked: () => Promise.resolve(false),
    })
    const proven = chain.capabilities.length + chain.archiveStores.length
    if (proven > 0) return 'valid'
    const error = chain.refusal(() => true)
    return `${error?.code} ${error?.link}`
  } catch (error) {
    if (error instanceof UcanError) return `${error.code} ${error.link}`
    throw error
  }
}
