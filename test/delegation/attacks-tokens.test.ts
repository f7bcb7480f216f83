import { createHmac } from 'node:crypto'
import { jwtAlgorithm, publicKeyFromDid } from '../../hub/auth/keys.ts'
import { base64url, compose, hubDid, mint, testNow } from '../ucan/mint.ts'
import { didKey, didPkhOf, keyKinds, type Persona, persona } from '../ucan/personas.ts'
import {
  type Attack,
  attacks,
  bare,
  byBob,
  onGrant,
  photos,
  resigned,
  toBob,
  withHeader,
  withPayload,
} from './attacking.ts'
import { alice, bob, carol, dave, delegate, invoke, mallory } from './people.ts'

const hour = 3600
const writers: readonly Persona[] = [carol, dave, bob]

attacks(
  'an attack by algorithm',
  writers.flatMap((writer): Attack[] => {
    const own = jwtAlgorithm[writer.kind]
    const others = keyKinds.map((kind) => jwtAlgorithm[kind]).filter((alg) => alg !== own)
    const algorithms = [
      'none',
      'None',
      'NONE',
      '',
      'HS256',
      'HS512',
      'RS256',
      'ES384',
      own.toLowerCase(),
      ...others,
      1,
      null,
      undefined,
    ]
    const given = delegate(alice, writer, photos)
    return algorithms
      .filter((alg) => alg !== own)
      .map((alg) => ({
        name: `alg ${JSON.stringify(alg) ?? 'missing'} for a ${writer.kind} key`,
        as: invoke(writer, photos, { proofs: [given], header: { alg } }),
        refused: { code: 'malformed', link: 0, claim: 'header.alg' },
      }))
  }),
)

/** A token that the public key signed as if it were the secret of an HMAC. */
function hmacToken(): string {
  const { header, payload } = compose({
    issuer: alice,
    audience: hubDid,
    capabilities: photos,
    header: { alg: 'HS256' },
  })
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(payload))}`
  const mac = createHmac('sha512', publicKeyFromDid(alice.did).bytes).update(input).digest()
  return `${input}.${base64url(mac)}`
}

const orders = {
  secp256k1: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  Ed25519: 2n ** 252n + 27742317777372353535851937790883648493n,
}

function scalar(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex')
}

/** Little-endian S + L, which verifies wherever S is taken modulo L. */
function addOrder(signature: Buffer): Uint8Array {
  const s = BigInt(`0x${Buffer.from(signature.subarray(32)).reverse().toString('hex')}`)
  return Buffer.concat([signature.subarray(0, 32), scalar(s + orders.Ed25519).reverse()])
}

attacks('an attack on signatures', [
  {
    name: 'the public key of Alice as the secret of an HMAC',
    as: hmacToken(),
    refused: { code: 'malformed', link: 0 },
  },
  {
    name: 'Mallory signs for Bob',
    as: byBob({ signer: mallory }),
    refused: { code: 'bad-signature', link: 0 },
  },
  {
    name: 'Mallory signs for Alice',
    as: onGrant({ signer: mallory }),
    refused: { code: 'bad-signature', link: 1 },
  },
  {
    name: 'Ed25519 with S + L',
    as: resigned(bare(invoke(carol, photos, { proofs: [delegate(alice, carol, photos)] })), addOrder),
    refused: { code: 'bad-signature', link: 0 },
  },
  ...writers.flatMap((writer): Attack[] => {
    const good = bare(invoke(writer, photos, { proofs: [delegate(alice, writer, photos)] }))
    const order = orders[writer.kind]
    const changes: Array<[string, (signature: Buffer) => Uint8Array, Attack['refused']]> = [
      ['of zeroes', () => new Uint8Array(64), { code: 'bad-signature', link: 0 }],
      ['of ones', () => new Uint8Array(64).fill(255), { code: 'bad-signature', link: 0 }],
      [
        'with its halves exchanged',
        (s) => Buffer.concat([s.subarray(32), s.subarray(0, 32)]),
        { code: 'bad-signature', link: 0 },
      ],
      ['with r = 0', (s) => Buffer.concat([scalar(0n), s.subarray(32)]), { code: 'bad-signature', link: 0 }],
      [
        'with s = 0',
        (s) => Buffer.concat([s.subarray(0, 32), scalar(0n)]),
        { code: 'bad-signature', link: 0 },
      ],
      [
        'with s = the order',
        (s) => Buffer.concat([s.subarray(0, 32), scalar(order)]),
        { code: 'bad-signature', link: 0 },
      ],
      [
        'with one bit changed',
        (s) => Buffer.concat([s.subarray(0, 40), Buffer.of((s[40] ?? 0) ^ 1), s.subarray(41)]),
        { code: 'bad-signature', link: 0 },
      ],
      ['of 63 bytes', (s) => s.subarray(0, 63), { code: 'malformed', link: 0, claim: 'signature' }],
      [
        'of 65 bytes',
        (s) => Buffer.concat([s, Buffer.of(0)]),
        { code: 'malformed', link: 0, claim: 'signature' },
      ],
      [
        'in DER',
        (s) => Buffer.concat([Buffer.from('3044022000', 'hex'), s]),
        { code: 'malformed', link: 0, claim: 'signature' },
      ],
      ['of no bytes', () => new Uint8Array(), { code: 'malformed', link: 0, claim: 'signature' }],
    ]
    return changes.map(([name, change, refused]) => ({
      name: `a ${writer.kind} signature ${name}`,
      as: `ucan:${resigned(good, change)}`,
      refused,
    }))
  }),
  {
    name: 'the signature of another token of Bob',
    as: `${bare(byBob()).split('.').slice(0, 2).join('.')}.${bare(byBob({ expiration: testNow + 5 })).split('.')[2]}`,
    refused: { code: 'bad-signature', link: 0 },
  },
  {
    name: 'a payload put in after signing',
    as: [
      bare(byBob()).split('.')[0],
      bare(invoke(bob, photos, { payload: { att: [{ with: `gaia://${alice.address}/`, can: '*' }] } })).split(
        '.',
      )[1],
      bare(byBob()).split('.')[2],
    ].join('.'),
    refused: { code: 'bad-signature', link: 0 },
  },
  {
    name: 'a header put in after signing',
    as: [bare(byBob({ header: { kid: 'x' } })).split('.')[0], ...bare(byBob()).split('.').slice(1)].join('.'),
    refused: { code: 'bad-signature', link: 0 },
  },
  {
    name: 'a key of small order, under which anything verifies',
    as: invoke(carol, photos, {
      payload: { iss: didKey('Ed25519', Uint8Array.from([1, ...new Uint8Array(31)])) },
    }),
    refused: { code: 'malformed', link: 0, claim: 'iss' },
  },
  {
    name: 'a key embedded in the header',
    as: byBob({
      signer: mallory,
      header: { jwk: { kty: 'EC' }, jku: 'https://evil.example/', kid: mallory.did },
    }),
    refused: { code: 'bad-signature', link: 0 },
  },
])

const [head = '', body = '', end = ''] = bare(byBob()).split('.')
const inner = (proof: string) => byBob({ payload: { prf: [proof] } })
const [rootHead = '', rootBody = '', rootEnd = ''] = toBob.split('.')

attacks('an attack by encoding', [
  ...(
    [
      ['four segments', `${head}.${body}.${end}.${end}`],
      ['two segments', `ucan:${head}.${body}`],
      ['a padded header', `${head}=.${body}.${end}`],
      ['a padded payload', `${head}.${body}==.${end}`],
      ['a padded signature', `${head}.${body}.${end}==`],
      ['characters of plain base64', `${head}.${body}.${end.slice(0, -2)}+/`],
      ['stray bits at the end', `${head}.${body}.${end.slice(0, -1)}${end.endsWith('B') ? 'C' : 'B'}`],
      ['an empty header', `ucan:.${body}.${end}`],
      ['a header that is no JSON', `${base64url('x')}.${body}.${end}`],
    ] as Array<[string, string]>
  ).map(
    ([name, jwt]): Attack => ({
      name,
      as: jwt.startsWith('ucan:') ? jwt : `ucan:${jwt}`,
      refused: { code: 'malformed', link: 0 },
    }),
  ),
  ...(
    [
      ['a proof of four segments', `${rootHead}.${rootBody}.${rootEnd}.${rootEnd}`],
      ['a padded proof', `${rootHead}.${rootBody}.${rootEnd}==`],
      ['a proof with a line break', `${rootHead}.${rootBody}.\n${rootEnd}`],
      ['a proof with a space', ` ${toBob}`],
      ['a proof with a NUL', `${toBob}\u0000`],
      ['a proof in characters of other scripts', `${rootHead}.${rootBody}.${rootEnd}é`],
      ['a proof that is a dot', '.'],
      ['a proof that is cut', toBob.slice(0, -1)],
    ] as Array<[string, string]>
  ).map(([name, proof]): Attack => ({ name, as: inner(proof), refused: { code: 'malformed', link: 1 } })),
  ...(
    [
      ['a byte order mark', (text) => `\ufeff${text}`],
      ['text after the JSON', (text) => `${text}x`],
      ['two objects', (text) => `${text}${text}`],
      ['a list', (text) => `[${text}]`],
      ['a claim twice', (text) => text.replace('{', `{"aud":"${hubDid}",`)],
      ['a claim twice, once escaped', (text) => text.replace('{', '{"\\u0061ud":"x",')],
      ['an ability twice', (text) => text.replace('"can":', '"can":"*","can":')],
      ['33 levels', (text) => text.replace('{', `{"x":${'['.repeat(32)}${']'.repeat(32)},`)],
      ['thousands of levels', (text) => text.replace('{', `{"x":${'['.repeat(5000)}`)],
      ['a comment', (text) => text.replace('{', '{/**/')],
      ['a comma too many', (text) => text.replace(/\}$/, ',}')],
      ['a lone control character', (text) => text.replace('{', '{"x":"\u0001",')],
    ] as Array<[string, (text: string) => string]>
  ).map(
    ([name, change]): Attack => ({
      name: `a payload with ${name}`,
      as: withPayload(alice, change),
      refused: { code: 'malformed', link: 0, claim: 'payload' },
    }),
  ),
  ...(
    [
      ['crit', (text) => text.replace('{', '{"crit":["exp"],'), 'header.crit'],
      ['an empty crit', (text) => text.replace('{', '{"crit":[],'), 'header.crit'],
      ['typ jwt', (text) => text.replace('"JWT"', '"jwt"'), 'header.typ'],
      ['typ JWS', (text) => text.replace('"JWT"', '"JWS"'), 'header.typ'],
      ['no typ', (text) => text.replace('"typ":"JWT",', ''), 'header.typ'],
      ['alg twice', (text) => text.replace('{', '{"alg":"none",'), 'header'],
      [
        'alg from a prototype',
        (text) => text.replace(/"alg":("\w+")/, '"__proto__":{"alg":$1}'),
        'header.alg',
      ],
    ] as Array<[string, (text: string) => string, string]>
  ).map(
    ([name, change, claim]): Attack => ({
      name: `a header with ${name}`,
      as: withHeader(alice, change),
      refused: { code: 'malformed', link: 0, claim },
    }),
  ),
  ...['0.7.0', '0.8', '0.10.0', '0.11.0', '1.0.0', '9.9.9', '0.8.1-x', '00.8.1', 'v0.8.1', '', 0.8, null].map(
    (ucv): Attack => ({
      name: `version ${JSON.stringify(ucv)}`,
      as: byBob({ header: { ucv } }),
      refused: { code: 'malformed', link: 0, claim: 'header.ucv' },
    }),
  ),
  {
    name: 'an older invocation on a younger proof',
    as: byBob({ version: '0.8.0' }),
    refused: { code: 'malformed', link: 0, claim: 'ucv' },
  },
  {
    name: 'att in 0.10',
    as: invoke(alice, photos, { version: '0.10.0', payload: { att: photos } }),
    refused: { code: 'malformed', link: 0, claim: 'att' },
  },
  {
    name: 'cap in 0.8',
    as: invoke(alice, photos, { payload: { cap: {} } }),
    refused: { code: 'malformed', link: 0, claim: 'cap' },
  },
])

const times = (claim: string, values: unknown[]) =>
  values.map(
    (value): Attack => ({
      name: `${claim} ${JSON.stringify(value) ?? 'missing'}`,
      as: invoke(alice, photos, { payload: { [claim]: value } }),
      refused: { code: 'malformed', link: 0, claim },
    }),
  )

attacks('an attack on time', [
  ...times('exp', [-1, 1.5, '9999999999', true, [], {}, 2 ** 53, undefined, null]),
  ...times('nbf', [-1, 1.5, '1', null, 2 ** 53]),
  ...times('iat', [-1, 1.5, '1', null, 2 ** 53]),
  {
    name: 'exp 1e400',
    as: withPayload(alice, (text) => text.replace(/"exp":\d+/, '"exp":1e400')),
    refused: { code: 'malformed', link: 0, claim: 'exp' },
  },
  {
    name: 'exp: null of an 0.10 invocation',
    as: invoke(alice, photos, { version: '0.10.0', expiration: null }),
    refused: { code: 'malformed', link: 0, claim: 'exp' },
  },
  {
    name: 'the second of exp',
    as: byBob({ expiration: testNow }),
    refused: { code: 'expired', link: 0, claim: 'exp' },
  },
  { name: 'exp 0', as: byBob({ expiration: 0 }), refused: { code: 'expired', link: 0, claim: 'exp' } },
  {
    name: 'an expired proof',
    as: onGrant({ expiration: testNow }),
    refused: { code: 'expired', link: 1, claim: 'exp' },
  },
  {
    name: 'an invocation from the future',
    as: byBob({ notBefore: testNow + 61 }),
    refused: { code: 'not-yet-valid', link: 0, claim: 'nbf' },
  },
  {
    name: 'a proof from the future',
    as: onGrant({ notBefore: testNow + 61 }),
    refused: { code: 'not-yet-valid', link: 1, claim: 'nbf' },
  },
  {
    name: 'a window that is empty',
    as: byBob({ notBefore: testNow + 30, expiration: testNow + 20 }),
    refused: { code: 'time-bounds', link: 0, claim: 'nbf' },
  },
  {
    name: 'more than a day',
    as: invoke(alice, photos, { expiration: testNow + 24 * hour + 1 }),
    refused: { code: 'time-bounds', link: 0, claim: 'exp' },
  },
  {
    name: 'an invocation that outlives its proof',
    as: byBob({ expiration: testNow + hour + 1 }),
    refused: { code: 'time-bounds', link: 0, claim: 'exp' },
  },
  {
    name: 'an invocation that predates its proof',
    as: invoke(bob, photos, { notBefore: 9, proofs: [delegate(alice, bob, photos, { notBefore: 10 })] }),
    refused: { code: 'time-bounds', link: 0, claim: 'nbf' },
  },
  {
    name: 'a link that outlives its proof',
    as: invoke(carol, photos, {
      proofs: [delegate(bob, carol, photos, { proofs: [toBob], expiration: testNow + hour + 1 })],
    }),
    refused: { code: 'time-bounds', link: 1, claim: 'exp' },
  },
  {
    name: 'an expired proof beside a good one',
    as: invoke(bob, photos, { proofs: [toBob, delegate(alice, bob, photos, { expiration: testNow - 1 })] }),
    refused: { code: 'expired', link: 1 },
  },
])

const smallOrder = didKey('Ed25519', Uint8Array.from([0xec, ...new Uint8Array(30).fill(0xff), 0x7f]))

attacks('an attack on principals', [
  ...(
    [
      ['missing', undefined],
      ['null', null],
      ['a list', [bob.did]],
      ['a P2PKH address', bob.address],
      ['a did:pkh', didPkhOf(bob)],
      ['a did:web', hubDid],
      ['hex, as v1 has it', Buffer.from(publicKeyFromDid(bob.did).bytes).toString('hex')],
      ['a did:key with a fragment', `${bob.did}#${bob.did.slice(8)}`],
      ['a did:key in upper case', bob.did.toUpperCase()],
      ['a key of order two', smallOrder],
      ['a key off its curve', didKey('secp256k1', Uint8Array.from([2, ...new Uint8Array(31), 5]))],
      ['an uncompressed key', didKey('secp256k1', new Uint8Array(65).fill(4))],
      ['a key of 31 bytes', didKey('Ed25519', new Uint8Array(31).fill(9))],
      ['of 5,000 characters', `did:key:z${'6'.repeat(5000)}`],
    ] as Array<[string, unknown]>
  ).map(
    ([name, iss]): Attack => ({
      name: `iss ${name}`,
      as: byBob({ payload: { iss } }),
      refused: { code: 'malformed', link: 0, claim: 'iss' },
    }),
  ),
  ...(
    [
      ['another hub', 'did:web:evil.example', 'wrong-audience'],
      ['a name that ends like ours', 'did:web:evil-hub.example', 'wrong-audience'],
      ['Bob himself', bob.did, 'wrong-audience'],
      ['Alice', alice.did, 'wrong-audience'],
      ['the address of Alice', didPkhOf(alice), 'wrong-audience'],
      ['the address itself', alice.address, 'malformed'],
      ['several', [hubDid, 'did:web:evil.example'], 'malformed'],
      ['a wildcard', '*', 'malformed'],
      ['a URL', 'https://hub.example', 'malformed'],
      ['another chain', 'did:pkh:eip155:1:0xb9c5714089478a327f09197987f16f9e5d936e8a', 'malformed'],
    ] as Array<[string, unknown, 'wrong-audience' | 'malformed']>
  ).map(
    ([name, aud, code]): Attack => ({
      name: `made out to ${name}`,
      as: byBob({ payload: { aud } }),
      refused: { code, link: 0, claim: 'aud' },
    }),
  ),
  {
    name: "Mallory uses Bob's grant",
    as: invoke(mallory, photos, { proofs: [toBob] }),
    refused: { code: 'principal-mismatch', link: 0, claim: 'iss' },
  },
  {
    name: 'Mallory puts herself between Alice and Bob',
    as: invoke(bob, photos, { proofs: [delegate(mallory, bob, photos, { proofs: [toBob] })] }),
    refused: { code: 'principal-mismatch', link: 1, claim: 'iss' },
  },
  {
    name: 'a grant to another kind of key of the same name',
    as: invoke(persona('bob'), photos, { proofs: [toBob] }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
  {
    name: 'a did:pkh of another key',
    as: invoke(mallory, photos, { proofs: [delegate(alice, didPkhOf(bob), photos)] }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
  {
    name: 'a did:pkh used by a key that has no such address',
    as: invoke(dave, photos, { proofs: [delegate(alice, didPkhOf(bob), photos)] }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
  {
    name: 'a proof that Alice made out to the hub',
    as: invoke(bob, photos, { proofs: [mint({ issuer: alice, audience: hubDid, capabilities: photos })] }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
  {
    name: "one proof for Bob and one of Carol's",
    as: invoke(bob, photos, { proofs: [toBob, delegate(alice, carol, photos)] }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
])
