import { expect } from 'chai'
import { cidOf, decodeUcan, revocationIdOf, UcanError } from '../../hub/auth/ucan/index.ts'
import { at, base64url, can, compose, hubDid, type MintOptions, mint, signJws, testNow } from './mint.ts'
import { alice, bob, didKey, didPkhOf, keyKinds, persona } from './personas.ts'

const good: MintOptions = {
  issuer: alice,
  audience: bob,
  capabilities: [can(alice, 'photos/', 'gaia/store')],
}
const ten: MintOptions = { ...good, version: '0.10.0' }

/** A token with this payload text, validly signed by Alice. */
function withPayload(text: string | Uint8Array): string {
  return signJws('{"alg":"EdDSA","typ":"JWT","ucv":"0.8.1"}', text, alice)
}

function withHeader(text: string): string {
  return signJws(text, JSON.stringify(compose(good).payload), alice)
}

function decodeError(jwt: string): UcanError {
  try {
    decodeUcan(jwt, 3)
  } catch (error) {
    if (error instanceof UcanError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

const [header = '', payload = '', signature = ''] = mint(good).split('.')
const plain = JSON.stringify(compose(good).payload)

describe('decoding a UCAN', () => {
  for (const version of ['0.8.1', '0.9.1', '0.10.0'] as const) {
    for (const kind of keyKinds) {
      it(`reads version ${version} signed by an ${kind} key`, () => {
        const issuer = persona('alice', kind)
        const jwt = mint({
          issuer,
          audience: bob,
          version,
          capabilities: [
            can(issuer, 'photos/', 'gaia/store', { maxSize: 10 }),
            can(issuer, 'notes.txt', '*'),
          ],
          notBefore: 5,
        })
        const ucan = decodeUcan(jwt)
        expect(ucan.issuer.did).to.equal(issuer.did)
        expect(ucan.audience).to.equal(bob.did)
        expect(ucan.cid).to.equal(cidOf(jwt))
        expect(ucan.revocationId).to.equal(revocationIdOf(jwt))
        expect(ucan.notBefore).to.equal(5)
        expect(ucan.expiration).to.equal(testNow + 3600)
        expect(ucan.proofs).to.deep.equal([])
        expect(ucan.capabilities).to.deep.equal([
          {
            address: issuer.address,
            ability: 'gaia/store',
            reach: { kind: 'below', path: 'photos/' },
            caveats: { maxSize: 10 },
          },
          { address: issuer.address, ability: '*', reach: { kind: 'file', path: 'notes.txt' }, caveats: {} },
        ])
      })
    }
  }

  it('takes did:key, did:pkh and did:web audiences', () => {
    for (const audience of [
      bob.did,
      didPkhOf(persona('bob', 'secp256k1')),
      hubDid,
      'did:web:localhost%3A3000',
    ]) {
      expect(decodeUcan(mint({ ...good, audience })).audience).to.equal(audience)
    }
  })

  it('takes exp: null, and a missing prf, in 0.10 alone', () => {
    expect(decodeUcan(mint({ ...ten, expiration: null })).expiration).to.equal(null)
    expect(decodeUcan(mint({ ...ten, payload: { prf: undefined } })).proofs).to.deep.equal([])
    expect(decodeError(mint({ ...good, expiration: null })).claim).to.equal('exp')
    expect(decodeError(mint({ ...good, payload: { prf: undefined } })).claim).to.equal('prf')
  })

  it('ignores claims that it does not know', () => {
    expect(decodeUcan(mint({ ...good, payload: { jti: 'x', scp: [{}] }, header: { kid: '1' } })).cid).to.be.a(
      'string',
    )
  })

  it('names a proof by its CID, inline or not', () => {
    const proof = mint(good)
    const expected = [cidOf(proof)]
    const inline = decodeUcan(mint({ ...good, proofs: [proof] })).proofs
    const named = decodeUcan(mint({ ...ten, proofs: [proof] })).proofs
    expect(inline.map(({ cid }) => cid)).to.deep.equal(expected)
    expect(named.map(({ cid }) => cid)).to.deep.equal(expected)
    expect(inline[0]?.jwt).to.equal(proof)
    expect(named[0]?.jwt).to.equal(null)
  })

  it('gives the CID that other tools give: v1, raw, sha2-256, base32', () => {
    expect(cidOf('hello world')).to.equal('bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e')
  })

  it('keys a revocation on what is signed, so that a re-encoded signature does not escape it', () => {
    const other = `${header}.${payload}.${base64url(new Uint8Array(64))}`
    expect(cidOf(other)).not.to.equal(cidOf(`${header}.${payload}.${signature}`))
    expect(revocationIdOf(other)).to.equal(revocationIdOf(`${header}.${payload}.${signature}`))
  })

  describe('issue time', () => {
    const rows: Array<{ name: string; options: Partial<MintOptions>; expected: number | null }> = [
      { name: 'iat first', options: { issuedAt: 50, facts: [{ iat: 40 }], notBefore: 30 }, expected: 50 },
      {
        name: 'else the oldest iat among the facts',
        options: { facts: [{ iat: 40 }, { iat: 20 }], notBefore: 30 },
        expected: 20,
      },
      {
        name: 'facts of 0.10 are one object',
        options: { version: '0.10.0', facts: { a: { iat: 9 }, iat: 10 } },
        expected: 9,
      },
      { name: 'else nbf', options: { facts: [{ at: 1 }], notBefore: 30 }, expected: 30 },
      {
        name: 'facts that are no times do not count',
        options: { facts: [{ iat: 1.5 }, { iat: '3' }, 7, null] },
        expected: null,
      },
      { name: 'else none', options: {}, expected: null },
    ]
    for (const { name, options, expected } of rows) {
      it(name, () => expect(decodeUcan(mint({ ...good, ...options })).issuedAt).to.equal(expected))
    }
  })
})

describe('a UCAN that is malformed', () => {
  const smallOrder = didKey('Ed25519', Uint8Array.from([1, ...new Uint8Array(31)]))
  const smallOrderOfTwo = didKey('Ed25519', Uint8Array.from([0xec, ...new Uint8Array(30).fill(0xff), 0x7f]))
  const rows: Array<{ name: string; jwt: string; claim?: string | null }> = [
    // Encoding
    { name: 'empty', jwt: '' },
    { name: 'two segments', jwt: `${header}.${payload}` },
    { name: 'four segments', jwt: `${header}.${payload}.${signature}.${signature}` },
    { name: 'a padded segment', jwt: `${header}=.${payload}.${signature}` },
    { name: 'plain base64', jwt: mint(good).replaceAll('-', '+').replaceAll('_', '/').concat('+') },
    { name: 'space around', jwt: ` ${mint(good)}` },
    { name: 'a line break within', jwt: `${header}.\n${payload}.${signature}` },
    { name: 'stray bits in the last character of the signature', jwt: mint(good).slice(0, -1).concat('x') },
    {
      name: 'a signature of 63 bytes',
      jwt: `${header}.${payload}.${base64url(new Uint8Array(63))}`,
      claim: 'signature',
    },
    {
      name: 'a signature of 65 bytes',
      jwt: `${header}.${payload}.${base64url(new Uint8Array(65))}`,
      claim: 'signature',
    },
    { name: 'no signature', jwt: `${header}.${payload}.`, claim: 'signature' },
    {
      name: 'invalid UTF-8',
      jwt: withPayload(Buffer.from(plain.replace('{', '{"nnc":"\u00ff",'), 'latin1')),
      claim: 'payload',
    },
    { name: 'a byte order mark', jwt: withPayload(`\ufeff${plain}`), claim: 'payload' },
    { name: 'text after the JSON', jwt: withPayload(`${plain}x`), claim: 'payload' },
    { name: 'an array as payload', jwt: withPayload(`[${plain}]`), claim: 'payload' },
    {
      name: 'JSON that repeats a claim',
      jwt: withPayload(plain.replace('{', '{"exp":1,')),
      claim: 'payload',
    },
    {
      name: 'a repeated claim under an escaped name',
      jwt: withPayload(plain.replace('{', '{"\\u0065xp":1,')),
      claim: 'payload',
    },
    {
      name: 'a repeated name deep inside',
      jwt: withPayload(plain.replace('"can":', '"can":"*","can":')),
      claim: 'payload',
    },
    {
      name: 'JSON nested 33 deep',
      jwt: withPayload(plain.replace('{', `{"x":${'['.repeat(32)}${']'.repeat(32)},`)),
      claim: 'payload',
    },
    { name: 'JSON nested thousands deep', jwt: withPayload(`{"x":${'['.repeat(9000)}`), claim: 'payload' },
    // Header
    { name: 'typ of another case', jwt: mint({ ...good, header: { typ: 'jwt' } }), claim: 'header.typ' },
    { name: 'no typ', jwt: mint({ ...good, header: { typ: undefined } }), claim: 'header.typ' },
    { name: 'a typ that is a number', jwt: mint({ ...good, header: { typ: 1 } }), claim: 'header.typ' },
    { name: 'critical extensions', jwt: mint({ ...good, header: { crit: ['exp'] } }), claim: 'header.crit' },
    {
      name: 'an empty list of critical extensions',
      jwt: mint({ ...good, header: { crit: [] } }),
      claim: 'header.crit',
    },
    { name: 'algorithm none', jwt: mint({ ...good, header: { alg: 'none' } }), claim: 'header.alg' },
    { name: 'algorithm None', jwt: mint({ ...good, header: { alg: 'None' } }), claim: 'header.alg' },
    { name: 'an HMAC', jwt: mint({ ...good, header: { alg: 'HS256' } }), claim: 'header.alg' },
    { name: 'no algorithm', jwt: mint({ ...good, header: { alg: undefined } }), claim: 'header.alg' },
    {
      name: 'an algorithm that is a number',
      jwt: mint({ ...good, header: { alg: 1 } }),
      claim: 'header.alg',
    },
    {
      name: 'the algorithm of another kind of key',
      jwt: mint({ ...good, header: { alg: 'ES256K' } }),
      claim: 'header.alg',
    },
    {
      name: 'ES256 for a secp256k1 key',
      jwt: mint({ ...good, issuer: persona('eve', 'secp256k1'), header: { alg: 'ES256' } }),
      claim: 'header.alg',
    },
    {
      name: 'ES256K for a P-256 key',
      jwt: mint({ ...good, issuer: persona('eve', 'P-256'), header: { alg: 'ES256K' } }),
      claim: 'header.alg',
    },
    {
      name: 'an algorithm inherited from a prototype',
      jwt: withHeader('{"__proto__":{"alg":"EdDSA"},"typ":"JWT","ucv":"0.8.1"}'),
      claim: 'header.alg',
    },
    // Version
    ...[
      '0.7.0',
      '0.7',
      '0.8',
      '0.10',
      '0.11.0',
      '1.0.0',
      '9.9.9',
      '0.8.1-rc',
      '00.8.1',
      '0.8.01',
      'v0.8.1',
      '',
    ].map((ucv) => ({
      name: `version "${ucv}" in the header`,
      jwt: mint({ ...good, header: { ucv } }),
      claim: 'header.ucv',
    })),
    { name: 'a version that is a number', jwt: mint({ ...good, header: { ucv: 0.8 } }), claim: 'header.ucv' },
    { name: 'no version', jwt: mint({ ...good, header: { ucv: undefined } }), claim: 'ucv' },
    {
      name: 'version 0.10 in the header',
      jwt: mint({ ...good, header: { ucv: '0.10.0' } }),
      claim: 'header.ucv',
    },
    { name: 'version 0.8 in the payload', jwt: mint({ ...ten, payload: { ucv: '0.8.1' } }), claim: 'ucv' },
    { name: 'version 0.10 without a patch', jwt: mint({ ...ten, payload: { ucv: '0.10' } }), claim: 'ucv' },
    { name: 'two versions', jwt: mint({ ...good, payload: { ucv: '0.10.0' } }), claim: 'ucv' },
    { name: 'att in 0.10', jwt: mint({ ...ten, payload: { att: [] } }), claim: 'att' },
    { name: 'cap in 0.8', jwt: mint({ ...good, payload: { cap: {} } }), claim: 'cap' },
    // Principals
    { name: 'no iss', jwt: mint({ ...good, payload: { iss: undefined } }), claim: 'iss' },
    { name: 'an iss that is a number', jwt: mint({ ...good, payload: { iss: 1 } }), claim: 'iss' },
    {
      name: 'an iss without did:key',
      jwt: mint({ ...good, payload: { iss: alice.did.slice(8) } }),
      claim: 'iss',
    },
    { name: 'an iss of another method', jwt: mint({ ...good, payload: { iss: hubDid } }), claim: 'iss' },
    {
      name: 'an iss with a fragment',
      jwt: mint({ ...good, payload: { iss: `${alice.did}#1` } }),
      claim: 'iss',
    },
    { name: 'an iss of small order', jwt: mint({ ...good, payload: { iss: smallOrder } }), claim: 'iss' },
    { name: 'an iss of order two', jwt: mint({ ...good, payload: { iss: smallOrderOfTwo } }), claim: 'iss' },
    { name: 'an aud of small order', jwt: mint({ ...good, payload: { aud: smallOrder } }), claim: 'aud' },
    {
      name: 'an uncompressed key',
      jwt: mint({ ...good, payload: { iss: didKey('secp256k1', new Uint8Array(65).fill(4)) } }),
      claim: 'iss',
    },
    {
      name: 'a key off its curve',
      jwt: mint({
        ...good,
        payload: { iss: didKey('secp256k1', Uint8Array.from([2, ...new Uint8Array(31), 5])) },
      }),
      claim: 'iss',
    },
    { name: 'no aud', jwt: mint({ ...good, payload: { aud: undefined } }), claim: 'aud' },
    { name: 'several audiences', jwt: mint({ ...good, payload: { aud: [bob.did] } }), claim: 'aud' },
    { name: 'an aud that is no DID', jwt: mint({ ...good, payload: { aud: 'bob' } }), claim: 'aud' },
    {
      name: 'a did:pkh of another chain',
      jwt: mint({ ...good, payload: { aud: 'did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a' } }),
      claim: 'aud',
    },
    {
      name: 'a did:pkh with a wrong checksum',
      jwt: mint({ ...good, payload: { aud: `${didPkhOf(persona('bob', 'secp256k1')).slice(0, -1)}1` } }),
      claim: 'aud',
    },
    // Times
    ...(['exp', 'nbf', 'iat'] as const).flatMap((claim) =>
      [-1, 1.5, '1', true, [], 2 ** 53, claim === 'exp' ? undefined : null].map((value) => ({
        name: `${claim} ${JSON.stringify(value) ?? 'missing'}`,
        jwt: mint({ ...good, payload: { [claim]: value } }),
        claim,
      })),
    ),
    { name: 'exp 1e400', jwt: withPayload(plain.replace(/"exp":\d+/, '"exp":1e400')), claim: 'exp' },
    // Other claims
    { name: 'a nonce that is a number', jwt: mint({ ...good, payload: { nnc: 1 } }), claim: 'nnc' },
    { name: 'facts as an object in 0.8', jwt: mint({ ...good, facts: {} }), claim: 'fct' },
    { name: 'facts as an array in 0.10', jwt: mint({ ...ten, facts: [] }), claim: 'fct' },
    { name: 'facts null', jwt: mint({ ...ten, facts: null }), claim: 'fct' },
    // Proofs
    { name: 'prf as a string', jwt: mint({ ...good, payload: { prf: mint(good) } }), claim: 'prf' },
    { name: 'prf of numbers', jwt: mint({ ...good, payload: { prf: [1] } }), claim: 'prf' },
    { name: 'a CID in 0.8', jwt: mint({ ...good, payload: { prf: [cidOf('x')] } }), claim: 'prf' },
    { name: 'an inline proof in 0.10', jwt: mint({ ...ten, payload: { prf: [mint(ten)] } }), claim: 'prf' },
    {
      name: 'something that is no CID',
      jwt: mint({ ...ten, payload: { prf: ['we', 'prove', 'nothing'] } }),
      claim: 'prf',
    },
    {
      name: 'a CID in upper case',
      jwt: mint({ ...ten, payload: { prf: [cidOf('x').toUpperCase()] } }),
      claim: 'prf',
    },
    {
      name: 'a CID of another hash',
      jwt: mint({
        ...ten,
        payload: { prf: ['bafkr4icyq2ikdjxba7bytuxjjgxfhouzdbwutrqio77cb5logrg7osnsli'] },
      }),
      claim: 'prf',
    },
    {
      name: 'a CID with stray bits',
      jwt: mint({ ...ten, payload: { prf: [cidOf('x').replace(/.$/, 'b')] } }),
      claim: 'prf',
    },
  ]
  for (const { name, jwt, claim } of rows) {
    it(`is refused: ${name}`, () => {
      const error = decodeError(jwt)
      expect(error.code, error.message).to.equal('malformed')
      expect(error.link).to.equal(3)
      if (claim !== undefined) expect(error.claim, error.message).to.equal(claim)
      if (jwt !== '') expect(error.message).not.to.include(jwt.slice(0, 12))
    })
  }

  it('is refused for its size before anything is decoded', () => {
    const jwt = mint({ ...good, payload: { nnc: 'x'.repeat(16_384) } })
    expect(decodeError(jwt).code).to.equal('too-large')
  })

  it('is refused for the number of its proofs as too large, not as malformed', () => {
    const jwt = mint({ ...ten, payload: { prf: Array.from({ length: 17 }, (_, i) => cidOf(String(i))) } })
    const { code, link, claim } = decodeError(jwt)
    expect({ code, link, claim }).to.deep.equal({ code: 'too-large', link: 3, claim: 'prf' })
  })

  it('keeps a member named __proto__ from reaching any prototype', () => {
    decodeUcan(withPayload(plain.replace('{', '{"__proto__":{"polluted":true},')))
    expect(Object.hasOwn(Object.prototype, 'polluted')).to.equal(false)
  })
})

describe('the capabilities of a UCAN', () => {
  function capabilityCount(claims: unknown): number {
    return decodeUcan(mint({ ...good, payload: { att: claims } })).capabilities.length
  }

  const ignored: Array<[string, unknown]> = [
    ['another scheme', [{ with: 'mailto:bob@example.com', can: 'msg/send', nb: { x: 1 } }]],
    [
      'an ability of another kind on a gaia resource',
      [{ with: at(alice), can: 'crud/create', nb: { x: 1 } }],
    ],
    ['an unknown gaia ability', [{ with: at(alice), can: 'gaia/read' }]],
    ['none', []],
  ]
  for (const [name, claims] of ignored) {
    it(`are ignored where a Gaia hub does not know them: ${name}`, () => {
      expect(capabilityCount(claims)).to.equal(0)
    })
  }

  it('are counted also where they are ignored, each alternative of a cap as one', () => {
    const { capabilityCount: count } = decodeUcan(
      mint({
        ...ten,
        payload: { cap: { 'mailto:b@example.com': { 'msg/send': [{ a: 1 }, { b: 2 }], 'msg/read': [{}] } } },
      }),
    )
    expect(count).to.equal(3)
  })

  it('have abilities whose case does not matter', () => {
    const ucan = decodeUcan(mint({ ...good, capabilities: [can(alice, '', 'GAIA/Store')] }))
    expect(ucan.capabilities[0]?.ability).to.equal('gaia/store')
  })

  it('have media types in lower case and without parameters', () => {
    const nb = { contentType: ['Image/PNG', 'text/plain; charset=utf-8', 'video/*'] }
    const ucan = decodeUcan(mint({ ...good, capabilities: [can(alice, '', 'gaia/store', nb)] }))
    expect(ucan.capabilities[0]?.caveats.contentType).to.deep.equal(['image/png', 'text/plain', 'video/*'])
  })

  const malformed: Array<[string, unknown]> = [
    ['an object', {}],
    ['a string in the array', ['x']],
    ['no with', [{ can: '*' }]],
    ['no can', [{ with: at(alice) }]],
    ['a with that is no URI', [{ with: 'photos/', can: 'gaia/store' }]],
    ['* as resource', [{ with: '*', can: '*' }]],
    ['an ability without a namespace', [{ with: at(alice), can: 'store' }]],
    ['an empty ability', [{ with: at(alice), can: '' }]],
    ['an ability with a space', [{ with: at(alice), can: 'gaia/store ' }]],
    ...['my:*', 'my:gaia', 'MY:gaia', `as:${alice.did}:gaia`, 'prf:0', 'prf:*', 'ucan:*', 'ucan:./*'].map(
      (resource): [string, unknown] => [resource, [{ with: resource, can: '*' }]],
    ),
    ...[
      `gaia://${alice.address}`,
      `gaia:/${alice.address}/`,
      `gaia:${alice.address}/`,
      `GAIA://${alice.address}/`,
      'gaia:///photos/',
      'gaia://not-an-address/',
      `gaia://${alice.address}@evil/`,
      at(alice, '../x'),
      at(alice, 'a/../b'),
      at(alice, './a'),
      at(alice, 'a//b'),
      at(alice, '/'),
      at(alice, '//'),
      at(alice, 'a//'),
      at(alice, 'a\\b'),
      at(alice, 'a\u0000b'),
      at(alice, 'a\nb'),
      at(alice, 'a%2fb'),
      at(alice, '%2e%2e/'),
      at(alice, '100%'),
      at(alice, '.gaia-metadata/x'),
      at(alice, '\ud800'),
      at(alice, 'x'.repeat(1025)),
      at(alice, 'a/'.repeat(101)),
    ].map((resource): [string, unknown] => [
      JSON.stringify(resource).slice(0, 80),
      [{ with: resource, can: 'gaia/store' }],
    ]),
    ['a bad gaia resource under an ability that is ignored', [{ with: at(alice, '..'), can: 'crud/x' }]],
    ['an unknown caveat', [can(alice, '', 'gaia/store', { maxCount: 1 })]],
    ['an unknown caveat on *', [can(alice, '', '*', { maxCount: 1 })]],
    ['an unknown caveat on an unknown gaia ability', [can(alice, '', 'gaia/read', { maxCount: 1 })]],
    ['an unknown caveat on an ability in upper case', [can(alice, '', 'GAIA/STORE', { maxCount: 1 })]],
    [
      'a caveat named __proto__',
      JSON.parse(`[{"with":"${at(alice)}","can":"gaia/store","nb":{"__proto__":{}}}]`),
    ],
    ['a restriction beside nb', [{ ...can(alice, '', 'gaia/store'), maxSize: 1 }]],
    ['nb null', [{ ...can(alice, '', 'gaia/store'), nb: null }]],
    ['nb as an array', [{ ...can(alice, '', 'gaia/store'), nb: [] }]],
    ['a negative maxSize', [can(alice, '', 'gaia/store', { maxSize: -1 })]],
    ['a fractional maxSize', [can(alice, '', 'gaia/store', { maxSize: 0.5 })]],
    ['a maxSize as text', [can(alice, '', 'gaia/store', { maxSize: '10' })]],
    ['a contentType as text', [can(alice, '', 'gaia/store', { contentType: 'image/png' })]],
    ['no contentType', [can(alice, '', 'gaia/store', { contentType: [] })]],
    ['every contentType', [can(alice, '', 'gaia/store', { contentType: ['*/*'] })]],
    ['any type of a subtype', [can(alice, '', 'gaia/store', { contentType: ['*/png'] })]],
    ['a wildcard within a subtype', [can(alice, '', 'gaia/store', { contentType: ['image/p*'] })]],
    ['half a contentType', [can(alice, '', 'gaia/store', { contentType: ['image'] })]],
    ['createOnly false', [can(alice, '', 'gaia/store', { createOnly: false })]],
    ['a caveat on gaia/grant', [can(alice, '', 'gaia/grant', { maxSize: 1 })]],
    ['one bad among good ones', [can(alice, '', 'gaia/store'), { with: 'my:*', can: '*' }]],
  ]
  for (const [name, claims] of malformed) {
    it(`make the token malformed: ${name}`, () => {
      expect(decodeError(mint({ ...good, payload: { att: claims } })).code).to.equal('malformed')
    })
  }

  const malformedCaps: Array<[string, unknown]> = [
    ['null', null],
    ['an array', []],
    ['a resource without abilities', { [at(alice)]: {} }],
    ['abilities null', { [at(alice)]: null }],
    ['caveats null', { [at(alice)]: { 'gaia/store': null } }],
    ['no alternative, which means in no case', { [at(alice)]: { 'gaia/store': [] } }],
    ['an alternative that is no object', { [at(alice)]: { 'gaia/store': [{}, 1] } }],
    ['one bad alternative', { [at(alice)]: { 'gaia/store': [{}, { maxCount: 1 }] } }],
  ]
  for (const [name, cap] of malformedCaps) {
    it(`make the token malformed: cap with ${name}`, () => {
      expect(decodeError(mint({ ...ten, payload: { cap } })).code).to.equal('malformed')
    })
  }
})
