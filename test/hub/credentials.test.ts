import { expect } from 'chai'
import { fakeClock, type HubOverrides, startHub, type TestHub } from './harness.ts'
import { alice, bob, carol, mallory, type Person, uncompressed } from './people.ts'
import { expectNoSecrets } from './secrets.ts'
import {
  associationJwt,
  challenge,
  type Forgery,
  forge,
  forgeSegments,
  goodClaims,
  legacyBody,
  legacyToken,
  serverName,
  v1Jwt,
  v1Token,
} from './tokens.ts'

const clock = fakeClock()
const now = clock.seconds()

/** A credential, what its message must name where it is refused, and at whose address it is used. */
interface Row {
  title: string
  token: string
  /** Absent for a credential that is taken. */
  refusal?: RegExp
  at?: Person
}

/** One hub for a table of credentials, each of which is shown to `store`. */
function table(rows: readonly Row[], overrides: HubOverrides = {}): void {
  let hub: TestHub
  before(async () => {
    hub = await startHub({ clock, ...overrides })
  })
  after(() => hub.close())

  for (const { title, token, refusal, at = alice } of rows) {
    it(`${refusal === undefined ? 'takes' : 'refuses'} ${title}`, async () => {
      const from = hub.logs.length
      const answer = await hub.store('f', 'x', { at, token })
      if (refusal === undefined) {
        expect(answer.json, 'the answer').not.to.have.property('error')
        expect(answer.status).to.equal(202)
      } else {
        expect(answer.status).to.equal(401)
        expect(answer.json?.error).to.equal('ValidationError')
        expect(answer.json?.message).to.match(refusal)
        expect(answer.headers.get('content-type')).to.equal('application/json')
        expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
      }
      expectNoSecrets(token, [answer.body.toString(), ...hub.logs.slice(from)])
    })
  }
}

describe('the Authorization header', () => {
  let hub: TestHub
  before(async () => {
    hub = await startHub({ clock })
  })
  after(() => hub.close())

  for (const scheme of ['bearer ', 'Bearer ', 'BEARER ', 'bEaReR   ']) {
    it(`may write its scheme as ${JSON.stringify(scheme)}`, async () => {
      const headers = { Authorization: scheme + v1Token(alice) }
      expect((await hub.store('f', 'x', { at: alice, headers })).status).to.equal(202)
    })
  }

  for (const [title, authorization] of [
    ['is missing', null],
    ['is empty', ''],
    ['has no scheme', v1Token(alice)],
    ['has another scheme', `Basic ${v1Token(alice)}`],
    ['has a scheme alone', 'bearer'],
    ['has a scheme and a blank', 'bearer '],
    ['has no blank after the scheme', `bearer${v1Token(alice)}`],
    ['has two tokens', `bearer ${v1Token(alice)} ${v1Token(alice)}`],
    ['has a comma', `bearer ${v1Token(alice)}, bearer x`],
    ['has a prefix of another version', `bearer v2:${v1Jwt(alice)}`],
    ['has its prefix in upper case', `bearer V1:${v1Jwt(alice)}`],
    ['has a v1 token without its prefix', `bearer ${v1Jwt(alice)}`],
    ['has a prefix and nothing after it', 'bearer v1:'],
    ['holds more than 16 KiB', `bearer ${v1Token(alice, { padding: 'x'.repeat(16 * 1024) })}`],
  ] as const) {
    it(`is refused when it ${title}`, async () => {
      const from = hub.logs.length
      const headers: Record<string, string> = authorization === null ? {} : { Authorization: authorization }
      const answer = await hub.store('f', 'x', { at: alice, headers })
      expect(answer.status).to.equal(401)
      expect(answer.json?.error).to.equal('ValidationError')
      expectNoSecrets(authorization ?? '', [answer.body.toString(), ...hub.logs.slice(from)])
    })
  }
})

describe('a v1 token', () => {
  const good = goodClaims(alice)
  const forged = (forgery: Partial<Forgery>) => `v1:${forge({ payload: good, signer: alice, ...forgery })}`
  const flipBit = (at: number) => (signature: Uint8Array) =>
    signature.map((byte, i) => (i === at ? byte ^ 1 : byte))

  describe('by its signature', () => {
    table([
      { title: 'a low s', token: forged({ s: 'low' }) },
      { title: 'a high s', token: forged({ s: 'high' }) },
      { title: 'a changed r', token: forged({ tamper: flipBit(5) }), refusal: /signature/ },
      { title: 'a changed s', token: forged({ tamper: flipBit(40) }), refusal: /signature/ },
      { title: 'a signature by another key', token: forged({ signer: mallory }), refusal: /signature/ },
      { title: 'an empty signature', token: forge0(good), refusal: /signature/ },
      { title: 'zeros for a signature', token: forged({ tamper: (s) => s.fill(0) }), refusal: /signature/ },
      { title: 'a short one', token: forged({ tamper: (s) => s.slice(0, 63) }), refusal: /signature/ },
      {
        title: 'a long one',
        token: forged({ tamper: (s) => Uint8Array.from([...s, 0]) }),
        refusal: /signature/,
      },
      {
        title: 'r and s beyond the order',
        token: forged({ tamper: (s) => s.fill(0xff) }),
        refusal: /signature/,
      },
      {
        title: 'claims that were changed after signing',
        token: swapPayload(v1Token(alice), { ...good, iat: 1 }),
        refusal: /signature/,
      },
    ])
  })

  describe('by its header', () => {
    const header = (value: Record<string, unknown> | string) => forged({ header: value })
    table([
      { title: 'one without typ', token: header({ alg: 'ES256K' }) },
      { title: 'members that mean nothing', token: header({ typ: 'JWT', alg: 'ES256K', kid: 'x' }) },
      { title: 'alg none', token: header({ typ: 'JWT', alg: 'none' }), refusal: /"alg"/ },
      {
        title: 'alg none without a signature',
        token: `v1:${forge({ header: { typ: 'JWT', alg: 'none' }, payload: good })}`,
        refusal: /"alg"/,
      },
      { title: 'alg HS256', token: header({ typ: 'JWT', alg: 'HS256' }), refusal: /"alg"/ },
      { title: 'alg ES256', token: header({ typ: 'JWT', alg: 'ES256' }), refusal: /"alg"/ },
      { title: 'alg in lower case', token: header({ typ: 'JWT', alg: 'es256k' }), refusal: /"alg"/ },
      { title: 'no alg', token: header({ typ: 'JWT' }), refusal: /"alg"/ },
      { title: 'a list of algs', token: header({ typ: 'JWT', alg: ['ES256K'] }), refusal: /"alg"/ },
      { title: 'another typ', token: header({ typ: 'FOO', alg: 'ES256K' }), refusal: /"typ"/ },
      { title: 'crit', token: header({ typ: 'JWT', alg: 'ES256K', crit: ['x'] }), refusal: /"crit"/ },
      { title: 'an empty crit', token: header({ typ: 'JWT', alg: 'ES256K', crit: [] }), refusal: /"crit"/ },
      { title: 'a header that is a list', token: header('[]'), refusal: /header/ },
      { title: 'a header that is null', token: header('null'), refusal: /header/ },
      { title: 'a header that is no JSON', token: header('{'), refusal: /header/ },
    ])
  })

  describe('by its form', () => {
    const [head = '', payload = '', signature = ''] = v1Jwt(alice).split('.')
    const standardAlphabet = `${'{"gaiaChallenge":"???>>>"}'}`
    table([
      { title: 'two segments', token: `v1:${head}.${payload}`, refusal: /segments/ },
      { title: 'four segments', token: `v1:${head}.${payload}.${signature}.`, refusal: /segments/ },
      { title: 'five segments', token: `v1:${head}.${payload}.${signature}.x.y`, refusal: /segments/ },
      { title: 'one word', token: 'v1:nonsense', refusal: /segments/ },
      { title: 'dots alone', token: 'v1:..', refusal: /base64url/ },
      { title: 'a padded signature', token: `v1:${head}.${payload}.${signature}==`, refusal: /base64url/ },
      {
        title: 'a padded header, signed so',
        token: `v1:${forgeSegments(`${head}=`, payload, alice)}`,
        refusal: /base64url/,
      },
      {
        title: 'a padded payload, signed so',
        token: `v1:${forgeSegments(head, `${payload}=`, alice)}`,
        refusal: /base64url/,
      },
      {
        title: 'the other base64 alphabet, signed so',
        token: `v1:${forgeSegments(head, Buffer.from(standardAlphabet).toString('base64').replaceAll('=', ''), alice)}`,
        refusal: /base64url/,
      },
      {
        title: 'stray bits at the end of the signature',
        token: `v1:${head}.${payload}.${strayBits(signature)}`,
        refusal: /base64url/,
      },
      { title: 'a payload that is a list', token: forged({ payload: '[]' }), refusal: /payload/ },
      { title: 'a payload that is null', token: forged({ payload: 'null' }), refusal: /payload/ },
      { title: 'a payload that is a number', token: forged({ payload: '1' }), refusal: /payload/ },
      { title: 'a payload that is a text', token: forged({ payload: '"x"' }), refusal: /payload/ },
      { title: 'a payload that is no JSON', token: forged({ payload: '{' }), refusal: /payload/ },
      {
        title: 'a payload nested 5,000 deep',
        token: forged({ payload: '['.repeat(5000) }),
        refusal: /payload/,
      },
    ])
  })

  describe('by its iss', () => {
    const claims = (iss: unknown) => forged({ payload: { ...good, iss } })
    table([
      { title: 'hex in upper case', token: claims(alice.publicKeyHex.toUpperCase()) },
      { title: 'none', token: claims(undefined), refusal: /"iss"/ },
      { title: 'null', token: claims(null), refusal: /"iss"/ },
      { title: 'a number', token: claims(2), refusal: /"iss"/ },
      { title: 'an object', token: claims({ key: alice.publicKeyHex }), refusal: /"iss"/ },
      { title: 'a text that is not hex', token: claims('z'.repeat(66)), refusal: /"iss"/ },
      { title: 'an uncompressed key', token: claims(uncompressed(alice)), refusal: /"iss"/ },
      { title: 'a key that is too short', token: claims(alice.publicKeyHex.slice(2)), refusal: /"iss"/ },
      { title: 'a key that is no point', token: claims(`02${'ff'.repeat(32)}`), refusal: /"iss"/ },
      { title: 'an address', token: claims(alice.address), refusal: /"iss"/ },
      { title: "another owner's key", token: v1Token(mallory), refusal: /./ },
      { title: "the owner's key at another address", token: v1Token(alice), at: bob, refusal: /./ },
    ])
  })

  describe('by its times', () => {
    const claims = (value: Record<string, unknown>) => v1Token(alice, value)
    table([
      { title: 'neither exp nor iat', token: claims({}) },
      { title: 'an exp ahead', token: claims({ exp: now + 1 }) },
      { title: 'an exp half a second ahead', token: claims({ exp: now + 0.5 }) },
      {
        title: 'fractional times, as the wallet sends them',
        token: claims({ exp: now + 99.123, iat: now - 0.25 }),
      },
      { title: 'an iat of 0', token: claims({ iat: 0 }) },
      { title: 'an iat that is no number while none is asked for', token: claims({ iat: 'x' }) },
      { title: 'an exp of this very second', token: claims({ exp: now }), refusal: /"exp"/ },
      { title: 'an exp half a second ago', token: claims({ exp: now - 0.5 }), refusal: /"exp"/ },
      { title: 'an exp of 0', token: claims({ exp: 0 }), refusal: /"exp"/ },
      { title: 'a negative exp', token: claims({ exp: -1 }), refusal: /"exp"/ },
      { title: 'an exp that is a text', token: claims({ exp: String(now + 1000) }), refusal: /"exp"/ },
      { title: 'an exp that is null', token: claims({ exp: null }), refusal: /"exp"/ },
      { title: 'an exp that is a list', token: claims({ exp: [now + 1000] }), refusal: /"exp"/ },
      { title: 'an exp that is true', token: claims({ exp: true }), refusal: /"exp"/ },
      {
        title: 'an exp beyond all numbers (1e400)',
        token: forged({ payload: JSON.stringify({ ...good, exp: 0 }).replace('"exp":0', '"exp":1e400') }),
        refusal: /"exp"/,
      },
    ])
  })

  describe('by its gaiaChallenge', () => {
    const claims = (gaiaChallenge: unknown) => v1Token(alice, { gaiaChallenge })
    table([
      { title: 'the challenge of 2018', token: claims(challenge('2018')) },
      { title: 'the challenge of 2019', token: claims(challenge('2019')) },
      { title: 'none', token: claims(undefined), refusal: /"gaiaChallenge"/ },
      { title: 'null', token: claims(null), refusal: /"gaiaChallenge"/ },
      { title: 'a list', token: claims([challenge()]), refusal: /"gaiaChallenge"/ },
      { title: 'the challenge of 2020', token: claims(challenge('2020')), refusal: /"gaiaChallenge"/ },
      {
        title: 'the one of another hub',
        token: claims(challenge('0', 'evil.example')),
        refusal: /"gaiaChallenge"/,
      },
      {
        title: 'one with a blank',
        token: claims(challenge().replace(',', ', ')),
        refusal: /"gaiaChallenge"/,
      },
    ])
  })

  describe('as other clients write it', () => {
    table([
      {
        title: "micro-stacks' nulls and extra members",
        token: v1Token(alice, { associationToken: null, scopes: null, exp: now + 60, iat: now, unknown: {} }),
      },
      {
        title: "micro-stacks' scopes with a path",
        token: v1Token(alice, { scopes: [{ scope: 'putFile', domain: 'f', path: 'f' }] }),
      },
      {
        title: "wallet-sdk's gaiaHubUrl and fractional times",
        token: v1Token(alice, {
          hubUrl: undefined,
          gaiaHubUrl: 'https://x',
          iat: now + 0.5,
          exp: now + 3600.5,
        }),
      },
      { title: 'no salt', token: v1Token(alice, { salt: undefined }) },
      {
        title: 'any hubUrl, while none is required',
        token: v1Token(alice, { hubUrl: 'https://evil.example' }),
      },
      { title: 'a claim that is nested deep', token: v1Token(alice, { deep: [[[[[[{ a: [] }]]]]]] }) },
    ])
  })

  describe('with a required hubUrl', () => {
    const claims = (hubUrl: unknown) => v1Token(alice, { hubUrl })
    table(
      [
        { title: 'https and the server name', token: claims(`https://${serverName}`) },
        { title: 'a trailing slash', token: claims(`https://${serverName}/`) },
        { title: 'a valid hub URL', token: claims('https://other.example/hub') },
        { title: 'a valid hub URL with a slash', token: claims('https://other.example/hub/') },
        { title: 'a URL configured with a slash, sent without', token: claims('http://third.example:3000') },
        { title: 'none', token: claims(undefined), refusal: /"hubUrl"/ },
        { title: 'null', token: claims(null), refusal: /"hubUrl"/ },
        { title: 'http', token: claims(`http://${serverName}`), refusal: /"hubUrl"/ },
        { title: 'another host', token: claims('https://evil.example'), refusal: /"hubUrl"/ },
        {
          title: 'a host that only begins like it',
          token: claims(`https://${serverName}.evil.example`),
          refusal: /"hubUrl"/,
        },
        { title: 'two slashes', token: claims(`https://${serverName}//`), refusal: /"hubUrl"/ },
        {
          title: 'gaiaHubUrl in its place',
          token: v1Token(alice, { hubUrl: undefined, gaiaHubUrl: `https://${serverName}` }),
          refusal: /"hubUrl"/,
        },
      ],
      {
        requireCorrectHubUrl: true,
        validHubUrls: ['https://other.example/hub', 'http://third.example:3000/'],
      },
    )
  })
})

describe('an association token', () => {
  const tied = (association: unknown, signer = alice) => v1Token(signer, { associationToken: association })
  const good = {
    iss: bob.publicKeyHex,
    childToAssociate: alice.publicKeyHex,
    exp: now + 60,
  }
  const forged = (forgery: Partial<Forgery>) => tied(forge({ payload: good, signer: bob, ...forgery }))

  table([
    { title: 'one that is in order', token: tied(associationJwt(bob, alice)) },
    { title: 'none', token: tied(undefined) },
    { title: 'null', token: tied(null) },
    { title: 'a high s', token: forged({ s: 'high' }) },
    { title: 'an empty text', token: tied(''), refusal: /association/ },
    { title: 'a number', token: tied(1), refusal: /"associationToken"/ },
    { title: 'an object', token: tied({ token: 'x' }), refusal: /"associationToken"/ },
    { title: 'no JWT', token: tied('nonsense'), refusal: /association token/ },
    {
      title: 'another signer than its iss',
      token: forged({ signer: mallory }),
      refusal: /association token/,
    },
    {
      title: 'alg none',
      token: forged({ header: { typ: 'JWT', alg: 'none' } }),
      refusal: /association token/,
    },
    { title: 'no exp', token: tied(associationJwt(bob, alice, { exp: undefined })), refusal: /"exp"/ },
    {
      title: 'an exp that is null',
      token: tied(associationJwt(bob, alice, { exp: null })),
      refusal: /"exp"/,
    },
    {
      title: 'an exp that is a text',
      token: tied(associationJwt(bob, alice, { exp: '9999999999' })),
      refusal: /"exp"/,
    },
    { title: 'an exp of 0', token: tied(associationJwt(bob, alice, { exp: 0 })), refusal: /"exp"/ },
    {
      title: 'an exp that has passed',
      token: tied(associationJwt(bob, alice, { exp: now })),
      refusal: /"exp"/,
    },
    { title: 'another child', token: tied(associationJwt(bob, carol)), refusal: /"childToAssociate"/ },
    {
      title: 'no child',
      token: tied(associationJwt(bob, alice, { childToAssociate: undefined })),
      refusal: /"childToAssociate"/,
    },
    {
      title: "the child's address in place of its key",
      token: tied(associationJwt(bob, alice, { childToAssociate: alice.address })),
      refusal: /"childToAssociate"/,
    },
    {
      title: 'an iss that is no key',
      token: tied(associationJwt(bob, alice, { iss: 'x' })),
      refusal: /association token/,
    },
  ])

  describe('gives no right', () => {
    table([
      {
        title: "to write at its signer's address",
        token: tied(associationJwt(alice, mallory), mallory),
        refusal: /./,
      },
      {
        title: 'to write at an address named in further claims',
        token: v1Token(mallory, { associationToken: associationJwt(alice, mallory), address: alice.address }),
        refusal: /./,
      },
    ])
  })
})

describe('a whitelist', () => {
  table(
    [
      { title: 'an owner who is on it', token: v1Token(alice) },
      { title: 'an owner who is not', token: v1Token(bob), at: bob, refusal: /whitelist/ },
      {
        title: 'a key that one on it has associated, at its own address',
        token: v1Token(bob, { associationToken: associationJwt(alice, bob) }),
        at: bob,
      },
      {
        title: 'a key that somebody else has associated',
        token: v1Token(bob, { associationToken: associationJwt(mallory, bob) }),
        at: bob,
        refusal: /whitelist/,
      },
      {
        title: 'one on it who is associated by one who is not',
        token: v1Token(alice, { associationToken: associationJwt(mallory, alice) }),
        refusal: /whitelist/,
      },
      {
        title: 'an association that has expired',
        token: v1Token(bob, { associationToken: associationJwt(alice, bob, { exp: now - 1 }) }),
        at: bob,
        refusal: /"exp"/,
      },
      { title: 'a legacy token of one on it', token: legacyToken(alice) },
      { title: 'a legacy token of another', token: legacyToken(bob), at: bob, refusal: /whitelist/ },
    ],
    { whitelist: [alice.address, carol.address] },
  )

  describe('that is empty', () => {
    table([{ title: 'everybody', token: v1Token(alice), refusal: /whitelist/ }], { whitelist: [] })
  })
})

describe('a legacy token', () => {
  const signatureOf = (token: string) =>
    String((JSON.parse(Buffer.from(token, 'base64').toString()) as { signature: unknown }).signature)
  const good = { publickey: alice.publicKeyHex, signature: signatureOf(legacyToken(alice)) }

  table([
    { title: "today's challenge", token: legacyToken(alice) },
    { title: 'the challenge of 2018', token: legacyToken(alice, challenge('2018')) },
    { title: 'the challenge of 2019', token: legacyToken(alice, challenge('2019')) },
    { title: 'further members', token: legacyBody({ ...good, more: true }) },
    {
      title: 'another challenge',
      token: legacyToken(alice, challenge('0', 'evil.example')),
      refusal: /challenge/,
    },
    {
      title: "another's signature",
      token: legacyBody({ ...good, signature: signatureOf(legacyToken(mallory)) }),
      refusal: /signature/,
    },
    { title: "another owner's token", token: legacyToken(mallory), refusal: /./ },
    { title: 'no signature', token: legacyBody({ publickey: alice.publicKeyHex }), refusal: /"signature"/ },
    { title: 'an empty signature', token: legacyBody({ ...good, signature: '' }), refusal: /"signature"/ },
    {
      title: 'a signature that is not DER',
      token: legacyBody({ ...good, signature: 'ab'.repeat(64) }),
      refusal: /"signature"/,
    },
    {
      title: 'DER with something behind it',
      token: legacyBody({ ...good, signature: `${good.signature}00` }),
      refusal: /"signature"/,
    },
    { title: 'no key', token: legacyBody({ signature: good.signature }), refusal: /"publickey"/ },
    { title: 'a key that is a number', token: legacyBody({ ...good, publickey: 2 }), refusal: /"publickey"/ },
    {
      title: 'an uncompressed key',
      token: legacyBody({ ...good, publickey: uncompressed(alice) }),
      refusal: /"publickey"/,
    },
    { title: 'base64 of no JSON', token: Buffer.from('nonsense').toString('base64'), refusal: /legacy/ },
    { title: 'base64 of null', token: legacyBody(null), refusal: /legacy/ },
    { title: 'base64 of a number', token: legacyBody(1), refusal: /legacy/ },
    { title: 'base64 of a list', token: legacyBody([]), refusal: /legacy/ },
    { title: 'no base64', token: 'A', refusal: /legacy/ },
  ])
})

describe('a token that was taken before', () => {
  it('is refused once it has expired', async () => {
    const running = fakeClock()
    const hub = await startHub({ clock: running })
    const token = v1Token(alice, { exp: running.seconds() + 10 })
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(202)
    running.advanceSeconds(9)
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(202)
    running.advanceSeconds(1)
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(401)
    await hub.close()
  })

  it('is refused once its association has expired', async () => {
    const running = fakeClock()
    const hub = await startHub({ clock: running, whitelist: [bob.address] })
    const associationToken = associationJwt(bob, alice, { exp: running.seconds() + 10 })
    const token = v1Token(alice, { associationToken })
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(202)
    running.advanceSeconds(10)
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(401)
    await hub.close()
  })

  it('does not vouch for another signature over the same claims', async () => {
    const hub = await startHub({ clock })
    const [good, bad] = ['low', 'changed'].map(
      (kind) =>
        `v1:${forge({ payload: goodClaims(alice), signer: alice, tamper: (s) => (kind === 'low' ? s : s.reverse()) })}`,
    )
    expect((await hub.store('f', 'x', { at: alice, token: good ?? '' })).status).to.equal(202)
    expect((await hub.store('f', 'x', { at: alice, token: bad ?? '' })).status).to.equal(401)
    await hub.close()
  })
})

describe('the credential of every operation', () => {
  let hub: TestHub
  before(async () => {
    hub = await startHub({ clock })
    await hub.store('f', 'x', { by: alice })
  })
  after(() => hub.close())

  const operations: [string, (token: string | undefined) => Promise<{ status: number; json: unknown }>][] = [
    ['store', (token) => hub.store('f', 'y', { at: alice, ...(token === undefined ? {} : { token }) })],
    ['delete', (token) => hub.delete('f', { at: alice, ...(token === undefined ? {} : { token }) })],
    [
      'list-files',
      (token) => hub.list({ page: null }, { at: alice, ...(token === undefined ? {} : { token }) }),
    ],
    ['revoke-all', (token) => hub.revokeAll(now, { at: alice, ...(token === undefined ? {} : { token }) })],
  ]
  for (const [name, run] of operations) {
    it(`is asked for by ${name}`, async () => {
      for (const token of [
        undefined,
        'v1:nonsense',
        v1Token(mallory),
        v1Token(alice, { exp: now - 1 }),
        legacyToken(mallory),
      ]) {
        const answer = await run(token)
        expect(answer.status).to.equal(401)
        expect(answer.json).to.include({ error: 'ValidationError' })
      }
      expect((await hub.list({ page: null }, { by: alice })).json?.entries).to.deep.equal(['f'])
    })
  }
})

function forge0(payload: unknown): string {
  return `v1:${forge({ payload })}`
}

/** The same header and signature around other claims. */
function swapPayload(token: string, claims: unknown): string {
  const [head = '', , signature = ''] = token.split('.')
  return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${signature}`
}

/** The same bytes for a lax decoder: base64url of 64 bytes has four bits that no byte uses. */
function strayBits(signature: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  const last = alphabet[alphabet.indexOf(signature.slice(-1)) + 1]
  return signature.slice(0, -1) + last
}
