import { expect } from 'chai'
import fc from 'fast-check'
import type { Ability, Capability } from '../../hub/auth/capability.ts'
import { checkAttenuation, decodeUcan, parseUcansHeader, UcanError } from '../../hub/auth/ucan/index.ts'
import { parseJsonObject } from '../../hub/auth/ucan/strict-json.ts'
import { type CapabilityClaim, can, mint, mintChain, ucansHeader } from './mint.ts'
import { alice, bob, carol, keyKinds, mallory, type Persona, persona } from './personas.ts'
import { allows, deleting, outcome, outcomeOf, storing, verifying } from './verifying.ts'

/** Small alphabets, so that chance finds what covers what. */
const paths = ['', 'a', 'a/', 'a/b', 'a/b/', 'ab/', 'b/']
const abilities: Ability[] = [
  'gaia/store',
  'gaia/archive',
  'gaia/delete',
  'gaia/list',
  'gaia/grant',
  'gaia/*',
  '*',
]
const types = ['image/*', 'image/png', 'text/plain']

const caveats = fc.record(
  {
    maxSize: fc.constantFrom(0, 5, 10),
    contentType: fc.uniqueArray(fc.constantFrom(...types), { minLength: 1 }),
    createOnly: fc.constant(true),
  },
  { requiredKeys: [] },
)

const claim: fc.Arbitrary<CapabilityClaim> = fc
  .record({
    owner: fc.constantFrom(alice, alice, alice, mallory),
    path: fc.constantFrom(...paths),
    ability: fc.constantFrom(...abilities),
    nb: fc.oneof({ weight: 3, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: caveats }),
  })
  .map(({ owner, path, ability, nb }) => can(owner, path, ability, ability === 'gaia/grant' ? {} : nb))

const action = fc
  .record({
    kind: fc.constantFrom('store', 'delete'),
    path: fc.constantFrom('a', 'a/b', 'a/b/c', 'ab/c', 'b/c'),
    size: fc.constantFrom(0, 5, 7, 20),
    type: fc.constantFrom('image/png', 'text/plain'),
  })
  .map(({ kind, path, size, type }) => (kind === 'store' ? storing(path, size, type) : deleting(path)))

/** Signing is not what these properties are about. */
function unsigned(who: Persona): Persona {
  return { ...who, sign: () => new Uint8Array(64) }
}

const unchecked = { checkSignature: () => true }
const people = [alice, bob, carol, persona('dave')].map(unsigned)

function capabilitiesOf(jwt: string): readonly Capability[] {
  return decodeUcan(jwt).capabilities
}

describe('attenuation', () => {
  it('is monotone: no chain ever allows what any of its links, the root above all, does not', async () => {
    let allowed = 0
    const links = fc.array(fc.array(claim, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(links, fc.array(action, { minLength: 3, maxLength: 3 }), async (claims, actions) => {
        const tokens = mintChain(
          claims.map((capabilities, i) => ({ issuer: people[i] ?? alice, capabilities })),
        )
        const chain = await verifying(tokens.at(-1) ?? '', unchecked)
        for (const wanted of actions) {
          if (outcomeOf(chain, wanted) !== 'allowed') continue
          allowed++
          for (const token of tokens) {
            const held = capabilitiesOf(token).filter(({ address }) => address === alice.address)
            expect(allows(held, chain, wanted)).to.equal(true)
          }
        }
      }),
      { numRuns: 3000 },
    )
    expect(allowed, 'chains that allowed something at all').to.be.greaterThan(50)
  })

  it('never lets anything through without a token of the owner', async () => {
    const notAlice = people.map((_, i) => unsigned(persona(`nobody ${i}`)))
    const links = fc.array(fc.array(claim, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(links, action, async (claims, wanted) => {
        const tokens = mintChain(
          claims.map((capabilities, i) => ({ issuer: notAlice[i] ?? bob, capabilities })),
        )
        const chain = await verifying(tokens.at(-1) ?? '', unchecked)
        expect(chain.capabilities).to.deep.equal([])
        expect(outcomeOf(chain, wanted)).to.be.oneOf(['root-not-owner', 'not-covered'])
      }),
      { numRuns: 500 },
    )
  })

  it('says the first refusal of whatever it does not allow, and none of what a proven capability allows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(claim, { maxLength: 3 }),
        fc.array(claim, { maxLength: 3 }),
        action,
        async (a, b, wanted) => {
          const [, use = ''] = mintChain([
            { issuer: people[0] ?? alice, capabilities: a },
            { issuer: people[1] ?? bob, capabilities: b },
          ])
          const chain = await verifying(use, unchecked)
          expect(outcomeOf(chain, wanted)).to.be.oneOf(['allowed', 'not-covered'])
          for (const capability of chain.capabilities) {
            expect(chain.refusal((other) => other === capability)).to.equal(null)
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  const capability = fc.array(claim, { minLength: 1, maxLength: 1 }).map(([only]) => {
    const [parsed] = capabilitiesOf(
      mint({ issuer: unsigned(alice), audience: bob, capabilities: only ? [only] : [] }),
    )
    if (parsed === undefined) throw new Error('every claim of these tests is understood')
    return parsed
  })

  it('is reflexive and transitive', () => {
    fc.assert(
      fc.property(capability, capability, capability, (a, b, c) => {
        expect(checkAttenuation(a, a).extent).to.equal('all')
        const [ab, bc, ac] = [checkAttenuation(b, a), checkAttenuation(c, b), checkAttenuation(c, a)]
        if (ab.extent === 'all' && bc.extent === 'all') expect(ac.extent).to.equal('all')
      }),
      { numRuns: 3000 },
    )
  })
})

function flip(text: string, bit: number): string {
  const index = Math.floor(bit / 8) % text.length
  const changed = String.fromCharCode(text.charCodeAt(index) ^ (1 << (bit % 8)))
  return text.slice(0, index) + changed + text.slice(index + 1)
}

describe('a single bit that is changed', () => {
  const photos = [can(alice, 'photos/', 'gaia/store')]
  const store = storing('photos/a')

  it("anywhere in the owner's token refuses it", async () => {
    const own = mint({ issuer: alice, audience: 'did:web:hub.example', capabilities: photos })
    expect(await outcome(own, store)).to.equal('allowed')
    for (let bit = 0; bit < own.length * 8; bit++) {
      expect(await outcome(flip(own, bit), store), `bit ${bit}`).not.to.equal('allowed')
    }
  })

  for (const kind of keyKinds) {
    const owner = persona('olivia', kind)
    const capabilities = [can(owner, 'photos/', 'gaia/store')]
    const links = [
      { issuer: owner, capabilities },
      { issuer: persona('walter', kind), capabilities },
    ]
    const at = { address: owner.address }

    it(`anywhere in a chain of ${kind} keys with an inline proof refuses it`, async () => {
      const [, use = ''] = mintChain(links)
      expect(await outcome(use, store, at)).to.equal('allowed')
      await fc.assert(
        fc.asyncProperty(fc.nat(use.length * 8 - 1), async (bit) => {
          expect(await outcome(flip(use, bit), store, at)).not.to.equal('allowed')
        }),
        { numRuns: 400 },
      )
    })

    it(`anywhere in a ucans header of ${kind} tokens refuses what needs it`, async () => {
      const [grant = '', use = ''] = mintChain(links.map((link) => ({ ...link, version: '0.10.0' as const })))
      const header = ucansHeader(grant)
      expect(await outcome(use, store, { ...at, proofs: parseUcansHeader(header) })).to.equal('allowed')
      await fc.assert(
        // The space after the colon is not a part of anything.
        fc.asyncProperty(
          fc.nat(header.length * 8 - 1).filter((bit) => Math.floor(bit / 8) !== 60),
          async (bit) => {
            expect(await outcomeWithHeader(use, flip(header, bit), at)).not.to.equal('allowed')
          },
        ),
        { numRuns: 400 },
      )
    })
  }

  async function outcomeWithHeader(use: string, header: string, at: { address: string }): Promise<string> {
    try {
      return await outcome(use, store, { ...at, proofs: parseUcansHeader(header) })
    } catch (error) {
      if (error instanceof UcanError) return error.code
      throw error
    }
  }
})

describe('strict JSON', () => {
  it('reads every object that has no name twice as JSON.parse does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })), (value) => {
        const text = JSON.stringify(value)
        expect(parseJsonObject(Buffer.from(text))).to.deep.equal(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses every object that has a name twice, at any depth and however it is spelled', () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), fc.nat(5), fc.boolean(), (name, value, depth, escaped) => {
        const spelled = escaped ? spellEscaped(name) : JSON.stringify(name)
        const twice = `{${JSON.stringify(name)}:${JSON.stringify(value)},${spelled}:1}`
        const text = `{"x":${'['.repeat(depth)}${twice}${']'.repeat(depth)}}`
        expect(() => parseJsonObject(Buffer.from(text))).to.throw('without repeated names')
      }),
      { numRuns: 500 },
    )
  })
})

function spellEscaped(name: string): string {
  const units = Array.from({ length: name.length }, (_, i) =>
    name.charCodeAt(i).toString(16).padStart(4, '0'),
  )
  return `"${units.map((unit) => `\\u${unit}`).join('')}"`
}
