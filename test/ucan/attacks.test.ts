import { expect } from 'chai'
import type { Action } from '../../hub/auth/authorize.ts'
import { revocationIdOf, type UcanErrorCode } from '../../hub/auth/ucan/index.ts'
import {
  at,
  base64url,
  byCid,
  type CapabilityClaim,
  type ChainLink,
  can,
  hubDid,
  mint,
  mintChain,
  signJws,
  testNow,
} from './mint.ts'
import { alice, bob, carol, didPkhOf, keyKinds, mallory, persona } from './personas.ts'
import {
  allows,
  type Changes,
  deleting,
  expectRefusal,
  outcomeOf,
  refusalOf,
  storing,
  verifying,
} from './verifying.ts'

const photos = [can(alice, 'photos/', 'gaia/store')]
const hour = 3600

interface Attack {
  name: string
  jwt: string | (() => string)
  code: UcanErrorCode
  link: number | null
  claim?: string
  action?: Action
  changes?: Changes
}

/** Refused while it is verified, or because nothing that it proves serves the action. */
async function expectRefused({
  jwt,
  code,
  link,
  claim,
  action = storing('photos/a'),
  changes = {},
}: Attack): Promise<void> {
  const token = typeof jwt === 'string' ? jwt : jwt()
  const error = await refusalOf(
    verifying(token, changes).then((chain) => {
      expect(outcomeOf(chain, action)).not.to.equal('allowed')
      throw chain.refusal((capability) => allows([capability], chain, action))
    }),
  )
  expectRefusal(error, code, link, claim)
  expect(error.message).not.to.include(token.slice(-40))
}

function attacks(title: string, rows: readonly Attack[]): void {
  describe(title, () => {
    for (const row of rows) {
      it(`${row.name}: ${row.code}`, () => expectRefused(row))
    }
  })
}

function grant(changes: Partial<ChainLink> & { audience?: typeof bob | string } = {}): string {
  return mint({ issuer: alice, audience: bob, capabilities: photos, ...changes })
}

function use(
  proofs: readonly string[],
  changes: Partial<ChainLink> & { audience?: typeof bob | string } = {},
): string {
  return mint({ issuer: bob, audience: hubDid, capabilities: photos, proofs, ...changes })
}

/** Alice → Bob → Carol → hub, each with its own capabilities. */
function three(a: CapabilityClaim[], b: CapabilityClaim[], c: CapabilityClaim[]): string {
  const people = [alice, bob, carol]
  const tokens = mintChain([a, b, c].map((capabilities, i) => ({ issuer: people[i] ?? alice, capabilities })))
  return tokens[2] ?? ''
}

function resign(jwt: string, change: (signature: Buffer) => Uint8Array): string {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  return `${header}.${payload}.${base64url(change(Buffer.from(signature, 'base64url')))}`
}

/** Little-endian S + L, which verifies wherever S is taken modulo L. */
function addOrder(signature: Buffer): Uint8Array {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  let s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`) + order
  const bytes = Buffer.from(signature)
  for (let i = 32; i < 64; i++, s >>= 8n) bytes[i] = Number(s & 0xffn)
  return bytes
}

attacks('an attack on the signature', [
  {
    name: 'Mallory signs in the name of Bob',
    jwt: use([grant()], { signer: mallory }),
    code: 'bad-signature',
    link: 0,
  },
  {
    name: 'Mallory signs in the name of Alice',
    jwt: use([grant({ signer: mallory })]),
    code: 'bad-signature',
    link: 1,
  },
  {
    name: 'a signature of zeroes',
    jwt: resign(use([grant()]), () => new Uint8Array(64)),
    code: 'bad-signature',
    link: 0,
  },
  { name: 'Ed25519 with S + L', jwt: resign(use([grant()]), addOrder), code: 'bad-signature', link: 0 },
  {
    name: 'R and S exchanged',
    jwt: resign(use([grant()]), (s) => Buffer.concat([s.subarray(32), s.subarray(0, 32)])),
    code: 'bad-signature',
    link: 0,
  },
  {
    name: 'the signature of another token',
    jwt: `${use([grant()]).split('.').slice(0, 2).join('.')}.${grant().split('.')[2]}`,
    code: 'bad-signature',
    link: 0,
  },
  {
    name: 'a payload changed after it was signed',
    jwt: () => {
      const [header = '', , signature = ''] = use([grant()]).split('.')
      const [, other = ''] = use([grant()], { capabilities: [can(alice, '', '*')] }).split('.')
      return `${header}.${other}.${signature}`
    },
    code: 'bad-signature',
    link: 0,
  },
  ...keyKinds.map((kind) => {
    const writer = persona('walter', kind)
    return {
      name: `one ${kind} signature under another header`,
      jwt: () => {
        const token = mint({ issuer: writer, audience: hubDid, capabilities: photos })
        const other = mint({ issuer: writer, audience: hubDid, capabilities: photos, header: { kid: 'x' } })
        return [other.split('.')[0], ...token.split('.').slice(1)].join('.')
      },
      code: 'bad-signature' as const,
      link: 0,
    }
  }),
])

attacks('an attack on the form', [
  {
    name: 'no algorithm',
    jwt: use([grant()], { header: { alg: 'none' } }),
    code: 'malformed',
    link: 0,
    claim: 'header.alg',
  },
  {
    name: 'a proof without an algorithm',
    jwt: use([grant({ header: { alg: 'none' } })]),
    code: 'malformed',
    link: 1,
  },
  {
    name: 'the public key as an HMAC key',
    jwt: use([grant({ header: { alg: 'HS256' } })]),
    code: 'malformed',
    link: 1,
    claim: 'header.alg',
  },
  {
    name: 'form is told before signatures',
    jwt: use([grant({ header: { crit: [] } })], { signer: mallory }),
    code: 'malformed',
    link: 1,
  },
  { name: 'a proof cut short', jwt: use([grant().slice(0, -1)]), code: 'malformed', link: 1 },
  {
    name: 'an invocation that never expires',
    jwt: use([], { version: '0.10.0', expiration: null }),
    code: 'malformed',
    link: 0,
    claim: 'exp',
  },
  {
    name: 'an 0.8 token that rests on one of 0.10',
    jwt: use([grant({ version: '0.10.0' })]),
    code: 'malformed',
    link: 0,
    claim: 'ucv',
  },
  {
    name: 'an older patch that rests on a younger',
    jwt: use([grant()], { version: '0.8.0' }),
    code: 'malformed',
    link: 0,
    claim: 'ucv',
  },
  {
    name: 'an 0.9 token that rests by CID on one of 0.10',
    jwt: use([grant({ version: '0.10.0' })], { version: '0.9.1', proofsAs: 'cid' }),
    changes: { proofs: byCid(grant({ version: '0.10.0' })) },
    code: 'malformed',
    link: 0,
    claim: 'ucv',
  },
  {
    name: 'an older token that rests on one which a younger rests on too',
    jwt: () => {
      const proof = mint({ issuer: alice, audience: bob, version: '0.9.1', capabilities: photos })
      const younger = mint({ issuer: bob, audience: carol, version: '0.9.1', proofs: [proof] })
      const older = mint({ issuer: bob, audience: carol, version: '0.8.1', proofs: [proof] })
      return use([younger, older], { issuer: carol, version: '0.9.1' })
    },
    code: 'malformed',
    link: 1,
    claim: 'ucv',
  },
  {
    name: 'an owner of everything (my:)',
    jwt: use([grant({ capabilities: [{ with: 'my:*', can: '*' }] })]),
    code: 'malformed',
    link: 1,
  },
  {
    name: 'every proof at once (prf:*)',
    jwt: use([grant()], { capabilities: [...photos, { with: 'prf:*', can: 'ucan/DELEGATE' }] }),
    code: 'malformed',
    link: 0,
  },
  {
    name: 'a claim that is read twice',
    jwt: signJws(
      '{"alg":"EdDSA","typ":"JWT","ucv":"0.8.1"}',
      `{"iss":"${bob.did}","aud":"did:web:other.example","aud":"${hubDid}","exp":${testNow + hour},"att":[],"prf":[]}`,
      bob,
    ),
    code: 'malformed',
    link: 0,
  },
])

attacks('an attack on time', [
  {
    name: 'an invocation in the second of its exp',
    jwt: use([grant()], { expiration: testNow }),
    code: 'expired',
    link: 0,
    claim: 'exp',
  },
  {
    name: 'a proof in the second of its exp',
    jwt: use([grant({ expiration: testNow })]),
    code: 'expired',
    link: 1,
  },
  { name: 'exp 0', jwt: use([grant()], { expiration: 0 }), code: 'expired', link: 0 },
  {
    name: 'an invocation 61 s too early',
    jwt: use([grant()], { notBefore: testNow + 61 }),
    code: 'not-yet-valid',
    link: 0,
    claim: 'nbf',
  },
  {
    name: 'a proof 61 s too early',
    jwt: use([grant({ notBefore: testNow + 61 })]),
    code: 'not-yet-valid',
    link: 1,
  },
  {
    name: 'a window that is empty',
    jwt: use([grant()], { notBefore: testNow + 30, expiration: testNow + 20 }),
    code: 'time-bounds',
    link: 0,
  },
  {
    name: 'an invocation for more than a day',
    jwt: use([grant({ expiration: testNow + 90_000 })], { expiration: testNow + 86_401 }),
    code: 'time-bounds',
    link: 0,
  },
  {
    name: 'a child that outlives its proof',
    jwt: use([grant({ expiration: testNow + 10 })], { expiration: testNow + 11 }),
    code: 'time-bounds',
    link: 0,
    claim: 'exp',
  },
  {
    name: 'a proof without end that rests on one with an end',
    jwt: () => {
      const root = grant({ version: '0.10.0' })
      const middle = mint({
        issuer: bob,
        audience: carol,
        version: '0.10.0',
        capabilities: photos,
        proofs: [root],
        expiration: null,
      })
      return use([middle], { issuer: carol, version: '0.10.0' })
    },
    changes: {
      proofs: byCid(
        grant({ version: '0.10.0' }),
        mint({
          issuer: bob,
          audience: carol,
          version: '0.10.0',
          capabilities: photos,
          proofs: [grant({ version: '0.10.0' })],
          expiration: null,
        }),
      ),
    },
    code: 'time-bounds',
    link: 1,
    claim: 'exp',
  },
  {
    name: 'a child that predates its proof',
    jwt: use([grant({ notBefore: 10 })], { notBefore: 9 }),
    code: 'time-bounds',
    link: 0,
    claim: 'nbf',
  },
  {
    name: 'a grandchild that predates its root through a silent child',
    jwt:
      mintChain([
        { issuer: alice, capabilities: photos, notBefore: 10 },
        { issuer: bob, capabilities: photos },
        { issuer: carol, capabilities: photos, notBefore: 9 },
      ])[2] ?? '',
    code: 'time-bounds',
    link: 0,
    claim: 'nbf',
  },
  {
    name: 'a grandchild that predates one of two roots through a silent child',
    jwt: () => {
      const roots = [grant({ notBefore: 5 }), grant({ notBefore: 10 })]
      const silent = mint({ issuer: bob, audience: carol, capabilities: photos, proofs: roots })
      return use([silent], { issuer: carol, notBefore: 7 })
    },
    code: 'time-bounds',
    link: 0,
    claim: 'nbf',
  },
  {
    name: 'times of each are told before times between',
    jwt: use([grant({ expiration: testNow - 1 })], { notBefore: 1 }),
    code: 'expired',
    link: 1,
  },
  {
    name: 'an expired proof that nothing needs',
    jwt: use([grant(), grant({ expiration: testNow - 1 })]),
    code: 'expired',
    link: 1,
  },
])

describe('time', () => {
  it('gives 60 s to clocks that run ahead, and lasts to the second before exp', async () => {
    const early = use([grant({ notBefore: testNow + 60 })], { notBefore: testNow + 60 })
    expect(outcomeOf(await verifying(early), storing('photos/a'))).to.equal('allowed')
    const late = use([grant()], { expiration: testNow + 1 })
    expect(outcomeOf(await verifying(late, { now: testNow + 0.999 }), storing('photos/a'))).to.equal(
      'allowed',
    )
  })

  it('lets a child without nbf begin with its proof', async () => {
    const token = use([grant({ notBefore: testNow - 10 })])
    expect(outcomeOf(await verifying(token), storing('photos/a'))).to.equal('allowed')
  })
})

attacks('an attack on principals', [
  {
    name: 'an invocation for another hub',
    jwt: use([grant()], { audience: 'did:web:other.example' }),
    code: 'wrong-audience',
    link: 0,
    claim: 'aud',
  },
  {
    name: 'an invocation made out to a person',
    jwt: use([grant()], { audience: carol }),
    code: 'wrong-audience',
    link: 0,
  },
  { name: 'a grant used as an invocation', jwt: grant(), code: 'wrong-audience', link: 0 },
  {
    name: 'Mallory uses the grant of Bob',
    jwt: use([grant()], { issuer: mallory }),
    code: 'principal-mismatch',
    link: 0,
    claim: 'iss',
  },
  {
    name: 'Mallory inserts herself in the middle',
    jwt: use([
      mint({ issuer: mallory, audience: bob, capabilities: photos, proofs: [grant({ audience: carol })] }),
    ]),
    code: 'principal-mismatch',
    link: 1,
  },
  {
    name: 'an invocation of Alice as a proof',
    jwt: use([grant({ audience: hubDid })]),
    code: 'principal-mismatch',
    link: 0,
  },
  {
    name: 'a did:pkh of somebody else',
    jwt: use([grant({ audience: didPkhOf(persona('bob', 'secp256k1')) })], {
      issuer: persona('mallory', 'secp256k1'),
    }),
    code: 'principal-mismatch',
    link: 0,
  },
  {
    name: 'a did:pkh for a key of another kind',
    jwt: use([grant({ audience: didPkhOf(persona('bob', 'secp256k1')) })]),
    code: 'principal-mismatch',
    link: 0,
  },
  {
    name: 'one proof for Bob and one for Carol',
    jwt: use([grant(), grant({ audience: carol })]),
    code: 'principal-mismatch',
    link: 0,
  },
  {
    name: 'audience is told before alignment',
    jwt: use([grant()], { issuer: mallory, audience: carol }),
    code: 'wrong-audience',
    link: 0,
  },
])

attacks('an attack on the root', [
  {
    name: 'Mallory claims the address of Alice',
    jwt: use([], { issuer: mallory }),
    code: 'root-not-owner',
    link: 0,
    claim: 'iss',
  },
  {
    name: 'Mallory delegates what Alice owns',
    jwt: use([mint({ issuer: mallory, audience: bob, capabilities: photos })]),
    code: 'root-not-owner',
    link: 1,
  },
  {
    name: 'root is told before coverage',
    jwt: use([mint({ issuer: mallory, audience: bob, capabilities: [can(alice, 'notes/', '*')] })]),
    code: 'root-not-owner',
    link: 1,
  },
  {
    name: 'Mallory hands on more than Alice gave her, beside something that Alice did give',
    jwt: use([
      mint({
        issuer: mallory,
        audience: bob,
        capabilities: [can(alice, '', '*'), ...photos],
        proofs: [
          mint({ issuer: alice, audience: mallory, capabilities: [can(alice, 'photos/', 'gaia/list')] }),
        ],
      }),
    ]),
    code: 'not-covered',
    link: 1,
  },
  {
    name: 'Mallory proves an address of her own',
    jwt: use([mint({ issuer: mallory, audience: bob, capabilities: [can(mallory, '', '*')] })]),
    code: 'root-not-owner',
    link: 1,
  },
])

const store = (path: string, nb?: Record<string, unknown>) => [can(alice, path, 'gaia/store', nb)]

attacks('an attack on scope', [
  {
    name: 'a wider path',
    jwt: three(store('photos/2026/'), store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
    claim: 'with',
  },
  {
    name: 'the whole address',
    jwt: three(store('photos/'), store(''), store('')),
    code: 'not-covered',
    link: 1,
    claim: 'with',
  },
  {
    name: 'a name that only begins alike',
    jwt: three(store('photos/'), store('photos2/'), store('photos2/')),
    action: storing('photos2/a'),
    code: 'not-covered',
    link: 1,
  },
  {
    name: 'a folder from a file',
    jwt: three(store('photos'), store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
  },
  {
    name: 'another case',
    jwt: three(store('Photos/'), store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
  },
  {
    name: 'the widening at the invocation',
    jwt: three(store('photos/'), store('photos/a/'), store('photos/')),
    code: 'not-covered',
    link: 0,
    claim: 'with',
  },
  {
    name: 'another ability',
    jwt: three(
      store('photos/'),
      [can(alice, 'photos/', 'gaia/delete')],
      [can(alice, 'photos/', 'gaia/delete')],
    ),
    action: deleting('photos/a'),
    code: 'not-covered',
    link: 1,
    claim: 'can',
  },
  {
    name: 'everything',
    jwt: three([can(alice, 'photos/', 'gaia/*')], [can(alice, 'photos/', '*')], [can(alice, 'photos/', '*')]),
    code: 'not-covered',
    link: 1,
    claim: 'can',
  },
  {
    name: 'gaia/store from gaia/archive',
    jwt: three([can(alice, 'photos/', 'gaia/archive')], store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
    claim: 'can',
  },
  {
    name: 'a delete from gaia/archive that rests on gaia/store',
    jwt: three(
      store('photos/'),
      [can(alice, 'photos/', 'gaia/archive')],
      [can(alice, 'photos/', 'gaia/archive')],
    ),
    action: deleting('photos/a'),
    code: 'not-covered',
    link: 1,
    claim: 'can',
  },
  {
    name: 'gaia/store back from gaia/archive that rests on gaia/store',
    jwt: three(store('photos/'), [can(alice, 'photos/', 'gaia/archive')], store('photos/')),
    code: 'not-covered',
    link: 0,
    claim: 'can',
  },
  {
    name: 'a dropped maxSize',
    jwt: three(store('photos/', { maxSize: 10 }), store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
    claim: 'nb',
  },
  {
    name: 'a raised maxSize',
    jwt: three(
      store('photos/', { maxSize: 10 }),
      store('photos/', { maxSize: 11 }),
      store('photos/', { maxSize: 11 }),
    ),
    code: 'not-covered',
    link: 1,
    claim: 'nb',
  },
  {
    name: 'a caveat dropped two links on',
    jwt: three(store('photos/', { maxSize: 10 }), store('photos/', { maxSize: 10 }), store('photos/')),
    code: 'not-covered',
    link: 0,
    claim: 'nb',
  },
  {
    name: 'a further contentType',
    jwt: three(
      store('photos/', { contentType: ['image/*'] }),
      store('photos/', { contentType: ['image/*', 'text/html'] }),
      store('photos/', { contentType: ['text/html'] }),
    ),
    action: storing('photos/a', 1, 'text/html'),
    code: 'not-covered',
    link: 1,
    claim: 'nb',
  },
  {
    name: 'createOnly dropped',
    jwt: three(store('photos/', { createOnly: true }), store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
    claim: 'nb',
  },
  {
    name: 'the address of somebody else',
    jwt: three([can(bob, '', '*')], store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
  },
  {
    name: 'a size beyond the caveat',
    jwt: three(store('photos/'), store('photos/'), store('photos/', { maxSize: 10 })),
    action: storing('photos/a', 11),
    code: 'not-covered',
    link: 0,
  },
  ...[
    [...store('photos/'), ...store('x/')],
    [...store('x/'), ...store('photos/')],
  ].map(
    (held, index): Attack => ({
      name: `a widening that is told where it happens, whatever stands beside it (${index})`,
      jwt: three(store('photos/2026/'), held, store('photos/')),
      code: 'not-covered',
      link: 1,
      claim: 'with',
    }),
  ),
  ...[
    [...store('photos/'), can(alice, 'photos/', '*')],
    [can(alice, 'photos/', '*'), ...store('photos/')],
  ].map(
    (claims, index): Attack => ({
      name: `of several claims that fail, the one that comes nearest to the root is told (${index})`,
      jwt: three([can(alice, 'photos/', 'gaia/list')], store('photos/'), claims),
      code: 'not-covered',
      link: 1,
      claim: 'can',
    }),
  ),
  {
    name: 'a proof that holds nothing',
    jwt: three([], store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
    claim: 'prf',
  },
  {
    name: 'an ability that is ignored proves nothing',
    jwt: three([can(alice, 'photos/', 'gaia/write')], store('photos/'), store('photos/')),
    code: 'not-covered',
    link: 1,
  },
])

/** A token of Bob with this many capabilities. */
function wide(count: number): CapabilityClaim[] {
  return Array.from({ length: count }, (_, i) => can(alice, `p${i}/`, 'gaia/store'))
}

function fillers(count: number): string[] {
  return Array.from({ length: count }, (_, i) =>
    mint({ issuer: alice, audience: bob, version: '0.10.0', issuedAt: i }),
  )
}

function longChain(length: number): string[] {
  const people = [alice, ...Array.from({ length: length - 1 }, (_, i) => persona(`friend ${i}`))]
  return mintChain(people.map((issuer): ChainLink => ({ issuer, version: '0.10.0', capabilities: photos })))
}

const padding = 16_384 - use([], { payload: { nnc: '' } }).length

attacks('an attack on size', [
  {
    name: 'nine tokens in a row',
    jwt: longChain(9).at(-1) ?? '',
    changes: { proofs: byCid(...longChain(9).slice(0, -1)) },
    code: 'too-deep',
    link: 8,
  },
  {
    name: 'nine tokens in a row behind a shorter way',
    jwt: () => {
      const tokens = longChain(9)
      return use([tokens[7] ?? '', tokens[3] ?? ''], { issuer: persona('friend 7'), version: '0.10.0' })
    },
    changes: { proofs: byCid(...longChain(9).slice(0, -1)) },
    code: 'too-deep',
    link: 8,
  },
  {
    name: 'a ninth token that nobody has',
    jwt: longChain(9).at(-1) ?? '',
    changes: { proofs: byCid(...longChain(9).slice(1, -1)) },
    code: 'too-deep',
    link: 8,
  },
  {
    name: 'a deposited proof as the ninth',
    jwt: longChain(9).at(-1) ?? '',
    changes: { resolveProof: (cid) => Promise.resolve(byCid(...longChain(9)).get(cid) ?? null) },
    code: 'too-deep',
    link: 8,
  },
  {
    name: '17 tokens, some of which nothing names',
    jwt: use(fillers(10), { version: '0.10.0' }),
    changes: { proofs: byCid(...fillers(16)) },
    code: 'too-large',
    link: null,
  },
  {
    name: '17 tokens, named and not found',
    jwt: use(fillers(16), { version: '0.10.0' }),
    code: 'too-large',
    link: null,
  },
  {
    name: '65 capabilities in one token',
    jwt: use([], { capabilities: wide(65) }),
    code: 'too-large',
    link: null,
  },
  {
    name: '65 capabilities in two tokens',
    jwt: use([grant({ capabilities: wide(33) })], { capabilities: wide(32) }),
    code: 'too-large',
    link: null,
  },
  {
    name: '65 alternatives',
    jwt: use([], {
      version: '0.10.0',
      payload: { cap: { [at(alice)]: { 'gaia/store': wide(65).map((_, i) => ({ maxSize: i })) } } },
    }),
    code: 'too-large',
    link: null,
  },
  {
    name: '65 capabilities with those of a token that nothing names',
    jwt: use([], { capabilities: wide(2) }),
    changes: { proofs: byCid(grant({ capabilities: wide(63) })) },
    code: 'too-large',
    link: null,
  },
  { name: 'a byte too much', jwt: () => longest(1), code: 'too-large', link: null },
  {
    name: 'a byte too much with the proofs',
    jwt: longest(0),
    changes: { proofs: byCid(grant()) },
    code: 'too-large',
    link: null,
  },
  {
    name: 'limits are told before signatures',
    jwt: use([], { capabilities: wide(65), signer: mallory }),
    code: 'too-large',
    link: null,
  },
])

/** An invocation of about the largest size; base64url grows in steps of four characters for three bytes. */
function longest(beyond: number): string {
  let jwt = use([], { payload: { nnc: 'x' } })
  for (let length = Math.floor((padding * 3) / 4) - 4; ; length++) {
    const next = use([], { payload: { nnc: 'x'.repeat(length) } })
    if (next.length > 16_384) return beyond > 0 ? next : jwt
    jwt = next
  }
}

describe('limits', () => {
  it('are met by the largest chains that are allowed', async () => {
    const eight = longChain(8)
    const changes = { proofs: byCid(...eight.slice(0, -1)) }
    expect(outcomeOf(await verifying(eight[7] ?? '', changes), storing('photos/a'))).to.equal('allowed')
    const sixteen = fillers(15)
    await verifying(use(sixteen, { version: '0.10.0' }), { proofs: byCid(...sixteen) })
    await verifying(use([grant({ capabilities: wide(32) })], { capabilities: wide(32) }))
    await verifying(longest(0))
  })

  it('count a token that is named twice once', async () => {
    const proof = grant({ capabilities: wide(32), version: '0.10.0' })
    const token = use([proof, proof], { version: '0.10.0', capabilities: wide(32) })
    await verifying(token, { proofs: byCid(proof) })
  })

  it('do not look into tokens that nothing names', async () => {
    const proofs = byCid('not a token', grant({ expiration: 1 }), grant({ signer: mallory }))
    expect(outcomeOf(await verifying(use([grant()]), { proofs }), storing('photos/a'))).to.equal('allowed')
  })
})

const root = grant()
const middle = mint({ issuer: bob, audience: carol, capabilities: photos, proofs: [root] })
const end = mint({ issuer: carol, audience: hubDid, capabilities: photos, proofs: [middle] })

function revoking(...tokens: string[]): Changes {
  const revoked = new Set(tokens.map(revocationIdOf))
  return { isRevoked: (_, id) => Promise.resolve(revoked.has(id)) }
}

function revokingAt(address: string, token: string): Changes {
  return { isRevoked: (where, id) => Promise.resolve(where === address && id === revocationIdOf(token)) }
}

function cuttingOff(seconds: number): Changes {
  return { oldestValidSeconds: (address) => Promise.resolve(address === alice.address ? seconds : null) }
}

const elsewhere = mint({ issuer: mallory, audience: bob, capabilities: [can(mallory, '', 'gaia/store')] })

attacks('an attack after revocation', [
  { name: 'the root is revoked', jwt: end, changes: revoking(root), code: 'revoked', link: 2 },
  { name: 'the middle is revoked', jwt: end, changes: revoking(middle), code: 'revoked', link: 1 },
  { name: 'the invocation is revoked', jwt: end, changes: revoking(end), code: 'revoked', link: 0 },
  {
    name: 'another signature over a revoked grant',
    jwt: () => use([mint({ issuer: persona('olivia', 'P-256'), audience: bob })]),
    changes: {
      ...revoking(mint({ issuer: persona('olivia', 'P-256'), audience: bob })),
      address: persona('olivia', 'P-256').address,
    },
    code: 'revoked',
    link: 1,
  },
  {
    name: 'a revoked proof that nothing needs',
    jwt: use([root, grant({ issuedAt: 7 })]),
    changes: revoking(grant({ issuedAt: 7 })),
    code: 'revoked',
    link: 1,
  },
  {
    name: 'a proof that is revoked at another address',
    jwt: use([root, elsewhere]),
    changes: revokingAt(mallory.address, elsewhere),
    code: 'revoked',
    link: 1,
  },
  {
    name: 'a root from before the cut-off',
    jwt: use([grant({ issuedAt: 99 })]),
    changes: cuttingOff(100),
    code: 'revoked',
    link: 1,
    claim: 'iat',
  },
  {
    name: 'a root without an issue time after a cut-off',
    jwt: use([root]),
    changes: cuttingOff(0),
    code: 'revoked',
    link: 1,
  },
  {
    name: 'a root from the future after a cut-off',
    jwt: use([grant({ issuedAt: testNow + 61 })]),
    changes: cuttingOff(100),
    code: 'revoked',
    link: 1,
  },
  {
    name: 'an old fact behind a fresh one',
    jwt: use([grant({ facts: [{ iat: 200 }, { iat: 99 }] })]),
    changes: cuttingOff(100),
    code: 'revoked',
    link: 1,
  },
  {
    name: 'an old root beside a fresh one',
    jwt: use([grant({ issuedAt: 200 }), grant({ issuedAt: 99 })]),
    changes: cuttingOff(100),
    code: 'revoked',
    link: 1,
  },
  {
    name: "the owner's own invocation from before the cut-off",
    jwt: mint({ issuer: alice, audience: hubDid, capabilities: photos, issuedAt: 99 }),
    changes: cuttingOff(100),
    code: 'revoked',
    link: 0,
  },
  {
    name: 'revocation is told before coverage',
    jwt: three(store('x/'), store('photos/'), store('photos/')),
    changes: { isRevoked: () => Promise.resolve(true) },
    code: 'revoked',
    link: 0,
  },
  {
    name: 'root is told before revocation',
    jwt: use([mint({ issuer: mallory, audience: bob, capabilities: photos })]),
    changes: { isRevoked: () => Promise.resolve(true) },
    code: 'root-not-owner',
    link: 1,
  },
])

describe('a cut-off', () => {
  for (const [name, changes] of [
    ['iat', { issuedAt: 100 }],
    ['a fact', { facts: [{ iat: 100 }] }],
    ['nbf', { notBefore: 100 }],
    ['an iat within the leeway of clocks', { issuedAt: testNow + 60 }],
  ] as const) {
    it(`spares a root that is not older, by ${name}`, async () => {
      const chain = await verifying(use([grant(changes)]), cuttingOff(100))
      expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
    })
  }

  it('does not touch a token of the owner that does not speak of the address', async () => {
    const silent = grant({ capabilities: [{ with: 'mailto:a@example.com', can: 'msg/send' }] })
    const chain = await verifying(use([grant({ issuedAt: 200 }), silent]), cuttingOff(100))
    expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
  })

  it('by the writer, at the address that it owns itself, does not touch its invocation', async () => {
    const capabilities = [...photos, can(bob, '', '*')]
    const token = use([grant({ capabilities })], { capabilities })
    const oldestValidSeconds = (address: string) => Promise.resolve(address === bob.address ? 100 : null)
    expect(outcomeOf(await verifying(token, { oldestValidSeconds }), storing('photos/a'))).to.equal('allowed')
  })

  it('is measured against every root: where one has no issue time, the chain has none', async () => {
    expect((await verifying(use([grant({ issuedAt: 200 }), grant()]))).issuedAt).to.equal(null)
    expect((await verifying(use([grant({ issuedAt: 200 }), grant({ issuedAt: 99 })]))).issuedAt).to.equal(99)
  })

  it('does not touch the token of a writer', async () => {
    const chain = await verifying(use([grant({ issuedAt: 200 })], { issuedAt: 1 }), cuttingOff(100))
    expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
  })
})

describe('a revocation', () => {
  it('leaves nothing of a chain in force, and tells what it would have allowed', async () => {
    const chain = await verifying(end, revoking(root))
    expect(chain.capabilities).to.deep.equal([])
    expect(chain.claimed).to.deep.equal([])
    expect(chain.revokedCapabilities).to.have.length(1)
    expect(chain.revoked?.code).to.equal('revoked')
  })

  it('by somebody at another address does not count', async () => {
    const chain = await verifying(end, revokingAt(mallory.address, root))
    expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
  })

  it('counts at another address only for what speaks of that address, and not for the invocation', async () => {
    const both = [...photos, can(mallory, '', 'gaia/store')]
    for (const [token, revokedToken] of [
      [use([root, elsewhere]), root],
      [use([root, elsewhere], { capabilities: both }), use([root, elsewhere], { capabilities: both })],
    ] as const) {
      const chain = await verifying(token, revokingAt(mallory.address, revokedToken))
      expect(outcomeOf(chain, storing('photos/a'))).to.equal('allowed')
    }
  })

  it('leaves no store of a gaia/archive either', async () => {
    const token = use([root], { capabilities: [can(alice, 'photos/', 'gaia/archive')] })
    const chain = await verifying(token, revoking(root))
    expect(chain.archiveStores).to.deep.equal([])
    expect(chain.revokedCapabilities).to.have.length(1)
  })

  it('is looked for at no address of a stranger whose chain has no owner at its root', async () => {
    const asked = new Set<string>()
    const capabilities = [
      ...photos,
      ...Array.from({ length: 20 }, (_, i) => ({ with: `gaia://a${i}/`, can: '*' })),
    ]
    const token = use([mint({ issuer: mallory, audience: bob, capabilities })])
    await verifying(token, {
      isRevoked: (address) => {
        asked.add(address)
        return Promise.resolve(false)
      },
    })
    expect([...asked]).to.deep.equal([alice.address])
  })
})

describe('replay', () => {
  it('an invocation may be used again until it expires, at its own hub alone', async () => {
    const token = use([grant()], { expiration: testNow + 10 })
    for (const now of [testNow, testNow + 1, testNow + 9.9]) {
      expect(outcomeOf(await verifying(token, { now }), storing('photos/a'))).to.equal('allowed')
    }
    await expectRefused({ name: '', jwt: token, changes: { now: testNow + 10 }, code: 'expired', link: 0 })
    await expectRefused({
      name: '',
      jwt: token,
      changes: { isAudience: (did) => did === 'did:web:other.example' },
      code: 'wrong-audience',
      link: 0,
    })
  })
})
