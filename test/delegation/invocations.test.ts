import { webcrypto } from 'node:crypto'
import { base58 } from '@scure/base'
import { expect } from 'chai'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import { base64url, can, compose, hubDid, mint, mintChain, testNow } from '../ucan/mint.ts'
import { didKey, didPkhOf, keyKinds, type Persona, persona } from '../ucan/personas.ts'
import { alice, asOwner, bob, carol, dave, delegate, invoke, mallory, newOwner, v1 } from './people.ts'
import { expectRefused, expectStatus, type Refusal, suiteWorld, withWorld } from './world.ts'

const suite = suiteWorld()
const photos = [can(alice, 'photos/', 'gaia/store')]

describe('an owner with an invocation of its own', () => {
  for (const kind of keyKinds) {
    const owner = persona(`own ${kind}`, kind)
    const identifier = owner.did.slice('did:key:'.length)
    for (const address of new Set([owner.address, identifier])) {
      it(`writes, lists, deletes and revokes at ${address.slice(0, 3)}… with a ${kind} key`, async () => {
        const { world } = suite
        const as = invoke(owner, [{ with: `gaia://${address}/`, can: '*' }])
        expectStatus(await world.store(address, 'a/b.txt', { as, body: kind }), 202)
        expect(await world.content(address, 'a/b.txt')).to.equal(kind)
        expect((await world.list(address, { as })).json?.entries).to.deep.equal(['a/b.txt'])
        expectStatus(await world.delete(address, 'a/b.txt', { as }), 202)
        expect(await world.content(address, 'a/b.txt')).to.equal(null)
        expectStatus(await world.send('POST', `/list-grants/${address}`, { as, body: '{}' }), 202)
        expectStatus(
          await world.send('POST', `/revoke-all/${address}`, { as, body: '{"oldestValidTimestamp":1}' }),
          202,
        )
        // Without an issue time nobody can tell whether it is older.
        expectRefused(await world.store(address, 'a/b.txt', { as }), {
          code: 'revoked',
          link: 0,
          claim: 'iat',
        })
      })
    }
  }

  it('owns the two addresses of a secp256k1 key apart: leave for one is none for the other', async () => {
    const identifier = alice.did.slice('did:key:'.length)
    const as = invoke(alice, [can(alice, '', '*')])
    expectRefused(await suite.world.store(identifier, 'x', { as }), { code: 'not-covered', link: 0 })
  })

  it('may do no more than its invocation says', async () => {
    const as = invoke(alice, photos)
    expectStatus(await suite.world.store(alice, 'photos/a', { as }), 202)
    expectRefused(await suite.world.store(alice, 'notes', { as }), { code: 'not-covered', link: 0 })
    expectRefused(await suite.world.delete(alice, 'photos/a', { as }), { code: 'not-covered', link: 0 })
    expectRefused(await suite.world.revokeAll(alice, 1, { as }), { code: 'not-covered', link: 0 })
  })

  it('may keep its P-256 key where nothing can take it out: WebCrypto, either s', async () => {
    const { world } = suite
    const key = await sealedKey()
    for (let i = 0; i < 12; i++) {
      const as = `ucan:${await key.mint({ nnc: `${i}` })}`
      expectStatus(await world.store(key.address, `n${i}`, { as, body: 'sealed' }), 202)
    }
    expect(await world.content(key.address, 'n11')).to.equal('sealed')
  })
})

/** An owner whose private key never leaves WebCrypto. */
async function sealedKey(): Promise<{
  address: string
  mint(payload: Record<string, unknown>): Promise<string>
}> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(algorithm, false, ['sign', 'verify'])
  const point = new Uint8Array(await webcrypto.subtle.exportKey('raw', publicKey))
  const sign = Number(point.at(-1)) % 2 === 0 ? 2 : 3
  const did = didKey('P-256', Uint8Array.from([sign, ...point.subarray(1, 33)]))
  const address = did.slice('did:key:'.length)
  const issuer: Persona = { ...persona('sealed', 'P-256'), did, address }
  expect(base58.decode(address.slice(1))).to.have.length(35)
  return {
    address,
    async mint(changes) {
      const { header, payload } = compose({
        issuer,
        audience: hubDid,
        capabilities: [{ with: `gaia://${address}/`, can: 'gaia/store' }],
        payload: changes,
      })
      const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`
      const how = { name: 'ECDSA', hash: 'SHA-256' }
      const signature = await webcrypto.subtle.sign(how, privateKey, Buffer.from(input))
      return `${input}.${base64url(new Uint8Array(signature))}`
    },
  }
}

describe('the credential of an invocation', () => {
  const jwt = mint({ issuer: alice, audience: hubDid, capabilities: photos })
  const rows: Array<[header: string, code: Refusal['code'] | 'taken']> = [
    [`Bearer ucan:${jwt}`, 'taken'],
    [`bearer ucan:${jwt}`, 'taken'],
    [`BEARER ucan:${jwt}`, 'taken'],
    [`Bearer ${jwt}`, 'taken'],
    [`Bearer   ucan:${jwt}`, 'taken'],
    [`Bearer UCAN:${jwt}`, 'malformed'],
    [`Bearer Ucan:${jwt}`, 'malformed'],
    [`Bearer v1:${jwt}`, 'malformed'],
    [`Bearer ucan:ucan:${jwt}`, 'malformed'],
    [`Bearer ucan:${jwt}.`, 'malformed'],
    ['Bearer ucan:', 'malformed'],
    ['Bearer ucan:x', 'malformed'],
    ['Bearer ucan:..', 'malformed'],
  ]
  for (const [header, expected] of rows) {
    const shown = header.replace(jwt, '<jwt>')
    it(`is ${expected} as "${shown}"`, async () => {
      const answer = await suite.world.store(alice, 'photos/p', { headers: { Authorization: header } })
      if (expected === 'taken') expectStatus(answer, 202)
      else expectRefused(answer, { code: expected })
    })
  }

  for (const header of [`Basic ${jwt}`, `Bearer ucan:${jwt} ${jwt}`, `ucan:${jwt}`, `Bearerucan:${jwt}`]) {
    it(`is refused without a code of its own as "${header.replaceAll(jwt, '<jwt>')}"`, async () => {
      const answer = await suite.world.store(alice, 'photos/p', { headers: { Authorization: header } })
      expectStatus(answer, 401, 'ValidationError')
    })
  }
})

describe('the audience of an invocation', () => {
  const urls = suiteWorld(() => ({
    validHubUrls: ['https://gaia.example:8443/', 'http://localhost:3000', 'https://plain.example/'],
  }))
  const invoking = (audience: unknown) => invoke(alice, photos, { payload: { aud: audience } })

  for (const audience of [
    'did:web:hub.example',
    'did:web:Hub.Example',
    'did:web:gaia.example%3A8443',
    'did:web:gaia.example%3a8443',
    'did:web:localhost%3A3000',
    'did:web:plain.example',
  ]) {
    it(`is this hub: ${audience}`, async () => {
      expectStatus(await urls.world.store(alice, 'photos/a', { as: invoking(audience) }), 202)
    })
  }

  for (const audience of [
    'did:web:other.example',
    'did:web:gaia.example',
    'did:web:gaia.example:8443',
    'did:web:plain.example%3A443',
    'did:web:hub.example%3A3000',
    'did:web:hub.example:path',
    'did:web:hub.example.evil.example',
    'did:web:evil-hub.example',
    alice.did,
    bob.did,
    didPkhOf(alice),
  ]) {
    it(`is another: ${audience}`, async () => {
      const answer = await urls.world.store(alice, 'photos/a', { as: invoking(audience) })
      expectRefused(answer, { code: 'wrong-audience', link: 0, claim: 'aud' })
    })
  }

  for (const audience of [
    undefined,
    null,
    '',
    'hub.example',
    'https://hub.example',
    'DID:WEB:hub.example',
    [hubDid],
    7,
  ]) {
    it(`is none at all: ${JSON.stringify(audience) ?? 'missing'}`, async () => {
      const answer = await urls.world.store(alice, 'photos/a', { as: invoking(audience) })
      expectRefused(answer, { code: 'malformed', link: 0, claim: 'aud' })
    })
  }

  it('is told by hub_info, the port written as %3A', async () => {
    await withWorld({ serverName: 'localhost:3000' }, async (world) => {
      const info = (await world.send('GET', '/hub_info', {})).json
      expect(info?.hub_did).to.equal('did:web:localhost%3A3000')
      expectStatus(await world.store(alice, 'photos/a', { as: invoking(info?.hub_did) }), 202)
    })
  })
})

describe('the lifetime of an invocation', () => {
  const until = (expiration: number) => invoke(alice, photos, { expiration })

  for (const [seconds, lifetime] of [
    [86_400, 86_400],
    [60, 60],
  ] as const) {
    it(`is at most ${lifetime} s where the hub says so`, async () => {
      await withWorld({ maxInvocationLifetimeSeconds: lifetime }, async (world) => {
        expectStatus(await world.store(alice, 'photos/a', { as: until(testNow + seconds) }), 202)
        const answer = await world.store(alice, 'photos/a', { as: until(testNow + seconds + 1) })
        expectRefused(answer, { code: 'time-bounds', link: 0, claim: 'exp' })
      })
    })
  }

  it('ends in the second of its exp; until then it may be used again and again', async () => {
    await withWorld({}, async (world) => {
      const as = invoke(bob, photos, { expiration: testNow + 10, proofs: [delegate(alice, bob, photos)] })
      for (const seconds of [0, 0, 5, 4]) {
        world.hub.clock.advanceSeconds(seconds)
        expectStatus(await world.store(alice, 'photos/a', { as }), 202)
      }
      world.hub.clock.advanceSeconds(0.999)
      expectStatus(await world.store(alice, 'photos/a', { as }), 202)
      world.hub.clock.advanceSeconds(0.001)
      expectRefused(await world.store(alice, 'photos/a', { as }), { code: 'expired', link: 0, claim: 'exp' })
    })
  })

  it('begins with the proof that begins last, clocks that run 60 s ahead allowed for', async () => {
    const from = (notBefore: number) => [delegate(alice, bob, photos, { notBefore })]
    const early = invoke(bob, photos, { proofs: from(testNow + 60) })
    expectStatus(await suite.world.store(alice, 'photos/a', { as: early }), 202)
    const tooEarly = invoke(bob, photos, { proofs: from(testNow + 61) })
    expectRefused(await suite.world.store(alice, 'photos/a', { as: tooEarly }), {
      code: 'not-yet-valid',
      link: 1,
      claim: 'nbf',
    })
  })
})

describe('a chain', () => {
  const forms = [
    { version: '0.8.0', proofsAs: 'inline' },
    { version: '0.8.1', proofsAs: 'inline' },
    { version: '0.9.1', proofsAs: 'inline' },
    { version: '0.9.1', proofsAs: 'cid' },
    { version: '0.10.0', proofsAs: 'cid' },
  ] as const

  for (const form of forms) {
    const links = [alice, bob, carol].map((issuer) => ({ issuer, ...form, capabilities: photos }))
    const [root = '', middle = '', use = ''] = mintChain(links)
    const ucans = form.proofsAs === 'cid' ? [root, middle] : []

    it(`of ${form.version} with ${form.proofsAs} proofs lets Carol write for Alice`, async () => {
      const body = `${form.version} ${form.proofsAs}`
      expectStatus(await suite.world.store(alice, 'photos/c', { as: `ucan:${use}`, ucans, body }), 202)
      expect(await suite.world.content(alice, 'photos/c')).to.equal(body)
    })

    if (form.proofsAs === 'cid') {
      it(`of ${form.version} lacks a proof that nobody sent`, async () => {
        const rows: Array<[string[], number]> = [
          [[], 0],
          [[root], 0],
          [[middle], 1],
        ]
        for (const [sent, link] of rows) {
          const answer = await suite.world.store(alice, 'photos/c', { as: `ucan:${use}`, ucans: sent })
          expectRefused(answer, { code: 'missing-proof', link, claim: 'prf' })
        }
      })
    }
  }

  it('may grow younger: an 0.10 invocation on an 0.9 link on an inline 0.8 root', async () => {
    const root = delegate(alice, bob, photos, { version: '0.8.1' })
    const middle = delegate(bob, carol, photos, { version: '0.9.1', proofs: [root] })
    const as = invoke(carol, photos, { version: '0.10.0', proofs: [middle] })
    expectStatus(await suite.world.store(alice, 'photos/y', { as, ucans: [middle] }), 202)
  })

  it('may name a grant that was deposited, and what was deposited with it', async () => {
    const owner = newOwner()
    const held = [can(owner, 'photos/', 'gaia/store')]
    const root = delegate(owner, bob, held, { version: '0.10.0' })
    const middle = delegate(bob, carol, held, { version: '0.10.0', proofs: [root] })
    const last = delegate(carol, dave, held, { version: '0.10.0', proofs: [middle] })
    const { world } = suite
    expectStatus(await world.deposit(owner, { ucan: middle, proofs: [root] }, { as: asOwner(owner) }), 201)

    const byCarol = invoke(carol, held, { version: '0.10.0', proofs: [middle] })
    expectStatus(await world.store(owner, 'photos/c', { as: byCarol }), 202)
    const byDave = invoke(dave, held, { version: '0.10.0', proofs: [last] })
    expectRefused(await world.store(owner, 'photos/d', { as: byDave }), { code: 'missing-proof', link: 0 })
    expectStatus(await world.store(owner, 'photos/d', { as: byDave, ucans: [last] }), 202)
  })

  it('does not take a deposited grant of another address for a proof', async () => {
    const owner = newOwner()
    const { world } = suite
    const elsewhere = delegate(mallory, bob, [can(mallory, '', '*'), can(owner, '', '*')], {
      version: '0.10.0',
    })
    const own = delegate(mallory, bob, [can(mallory, '', '*')], { version: '0.10.0' })
    expectStatus(await world.deposit(mallory, { ucan: own }, { as: v1(mallory) }), 201)
    expectStatus(await world.deposit(mallory, { ucan: elsewhere }, { as: v1(mallory) }), 201)
    const as = invoke(bob, [can(owner, '', '*')], { version: '0.10.0', proofs: [elsewhere] })
    expectRefused(await world.store(owner, 'x', { as }), { code: 'missing-proof', link: 0, claim: 'prf' })
  })

  for (const first of keyKinds) {
    for (const second of keyKinds) {
      it(`passes from ${first} to ${second} keys`, async () => {
        const owner = persona(`mixed ${first} ${second}`, first)
        const writer = persona('walter', second)
        const held = [can(owner, 'photos/', 'gaia/store')]
        const as = invoke(writer, held, { proofs: [delegate(owner, writer, held)] })
        expectStatus(await suite.world.store(owner, 'photos/a', { as }), 202)
        expectRefused(await suite.world.store(owner, 'other', { as }), { code: 'not-covered', link: 0 })
      })
    }
  }

  it('may name a writer by address alone: did:pkh, at any link', async () => {
    const root = delegate(alice, didPkhOf(bob), photos)
    const byBob = invoke(bob, photos, { proofs: [root] })
    expectStatus(await suite.world.store(alice, 'photos/pkh', { as: byBob }), 202)
    const eve = persona('eve', 'secp256k1')
    const middle = delegate(bob, didPkhOf(eve), photos, { proofs: [root] })
    const byEve = invoke(eve, photos, { proofs: [middle] })
    expectStatus(await suite.world.store(alice, 'photos/pkh', { as: byEve }), 202)
    const byMallory = invoke(mallory, photos, { proofs: [middle] })
    expectRefused(await suite.world.store(alice, 'photos/pkh', { as: byMallory }), {
      code: 'principal-mismatch',
      link: 0,
      claim: 'iss',
    })
  })
})

describe('tokens in ucans that nothing names', () => {
  const use = invoke(bob, photos, { proofs: [delegate(alice, bob, photos)] })
  const fillers = (count: number, capabilities = 0) =>
    Array.from({ length: count }, (_, i) =>
      delegate(
        alice,
        bob,
        Array.from({ length: capabilities }, () => photos[0] ?? can(alice, '', '*')),
        {
          version: '0.10.0',
          issuedAt: i,
        },
      ),
    )
  const ignored: Array<[string, string[]]> = [
    ['not a token', ['not-a-token']],
    ['expired', [delegate(alice, bob, photos, { expiration: 1 })]],
    ['signed by somebody else', [delegate(alice, bob, photos, { signer: mallory })]],
    ['made out to somebody else', [delegate(alice, carol, photos)]],
    ['malformed', [delegate(alice, bob, photos, { header: { crit: [] } })]],
    ['fourteen more', fillers(14)],
  ]
  for (const [name, ucans] of ignored) {
    it(`are ignored: ${name}`, async () => {
      expectStatus(await suite.world.store(alice, 'photos/u', { as: use, ucans }), 202)
    })
  }

  const counted: Array<[string, string[]]> = [
    ['17 tokens with the invocation and its proof', fillers(15)],
    ['65 capabilities', fillers(1, 63)],
    ['more than 16 KiB', [delegate(alice, bob, photos, { payload: { nnc: 'x'.repeat(11_600) } })]],
  ]
  for (const [name, ucans] of counted) {
    it(`count against the limits: ${name}`, async () => {
      const answer = await suite.world.store(alice, 'photos/u', { as: use, ucans })
      expectRefused(answer, { code: 'too-large' })
    })
  }

  it('prove nothing to a chain that does not name them', async () => {
    const as = invoke(bob, photos, { version: '0.10.0' })
    const answer = await suite.world.store(alice, 'photos/u', { as, ucans: [delegate(alice, bob, photos)] })
    expectRefused(answer, { code: 'no-grant' })
  })

  const token = delegate(alice, bob, photos)
  for (const [name, header] of [
    ['a CID of another token', `${cidOf('x')}: ${token}`],
    ['no CID', token],
    ['the token twice', `${cidOf(token)}: ${token}, ${cidOf(token)}: ${token}`],
    ['a CID alone', cidOf(token)],
    ['words', 'hello'],
  ] as const) {
    it(`refuse the header where it is not well-formed: ${name}`, async () => {
      const answer = await suite.world.store(alice, 'photos/u', { as: use, ucans: header })
      expectRefused(answer, { code: 'malformed', link: null, claim: 'ucans' })
    })
  }
})

describe('limits', () => {
  const row = (length: number) => {
    const people = [alice, ...Array.from({ length: length - 1 }, (_, i) => persona(`friend ${i}`))]
    return mintChain(people.map((issuer) => ({ issuer, version: '0.10.0' as const, capabilities: photos })))
  }
  const wide = (count: number) =>
    Array.from({ length: count }, (_, i) => can(alice, `photos/${i}/`, 'gaia/list'))
  const padded = (bytes: number) =>
    Array.from({ length: 16 }, (_, spare) =>
      invoke(alice, photos, { payload: { nnc: 'x'.repeat(Math.floor(bytes * 0.75) - 640 + spare * 40) } }),
    )

  it('let a chain of eight through, not of nine', async () => {
    const eight = row(8)
    const as = `ucan:${eight.at(-1)}`
    expectStatus(await suite.world.store(alice, 'photos/l', { as, ucans: eight.slice(0, -1) }), 202)
    const nine = row(9)
    const answer = await suite.world.store(alice, 'photos/l', {
      as: `ucan:${nine.at(-1)}`,
      ucans: nine.slice(0, -1),
    })
    expectRefused(answer, { code: 'too-deep', link: 8 })
  })

  it('let 64 capabilities through, not 65', async () => {
    const of = (count: number) =>
      invoke(bob, [...photos, ...wide(count - 2)], { proofs: [delegate(alice, bob, photos)] })
    expectStatus(await suite.world.store(alice, 'photos/l', { as: of(64) }), 202)
    expectRefused(await suite.world.store(alice, 'photos/l', { as: of(65) }), {
      code: 'too-large',
      link: null,
    })
  })

  it('let 16 KiB through, not more', async () => {
    const tokens = padded(16_384).map((as) => ({ as, bytes: as.length - 'ucan:'.length }))
    expect(new Set(tokens.map(({ bytes }) => bytes <= 16_384)).size).to.equal(2)
    for (const { as, bytes } of tokens) {
      const answer = await suite.world.store(alice, 'photos/l', { as })
      if (bytes <= 16_384) expectStatus(answer, 202)
      else expectRefused(answer, { code: 'too-large' })
    }
  })

  for (const [bytes, status, error] of [
    [30_000, 401, 'ValidationError'],
    [40_000, 431, 'HeadersTooLargeError'],
  ] as const) {
    it(`answer ${status} to a credential of ${bytes} bytes`, async () => {
      expectStatus(
        await suite.world.store(alice, 'photos/l', { as: `ucan:${'x'.repeat(bytes)}` }),
        status,
        error,
      )
    })
  }
})
