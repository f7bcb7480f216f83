import { cidOf } from '../../hub/auth/ucan/index.ts'
import { at, type CapabilityClaim, type ChainLink, can, hubDid, mint, mintChain } from '../ucan/mint.ts'
import { persona } from '../ucan/personas.ts'
import {
  type Attack,
  attacks,
  byBob,
  deleting,
  everything,
  listing,
  photos,
  storing,
  toBob,
} from './attacking.ts'
import { alice, asOwner, bob, carol, dave, delegate, invoke, mallory, v1 } from './people.ts'
import type { Refusal } from './world.ts'

const store = (path: string, nb?: Record<string, unknown>) => [can(alice, path, 'gaia/store', nb)]

/** Alice → Bob → Carol → hub, each with its own capabilities. */
function three(a: CapabilityClaim[], b: CapabilityClaim[], c: CapabilityClaim[]): string {
  const people = [alice, bob, carol]
  const tokens = mintChain([a, b, c].map((capabilities, i) => ({ issuer: people[i] ?? alice, capabilities })))
  return `ucan:${tokens[2]}`
}

/** Bob claims, in his link and in Carol's use of it, what Alice did not give. */
function widened(given: CapabilityClaim[], taken: CapabilityClaim[]): string {
  return three(given, taken, taken)
}

const scope = (
  name: string,
  as: string,
  refused: Omit<Refusal, 'code'>,
  attempt?: Attack['attempt'],
): Attack => ({
  name,
  as,
  refused: { code: 'not-covered', ...refused },
  ...(attempt === undefined ? {} : { attempt }),
})

attacks('an attack on scope', [
  scope('a wider folder', widened(store('photos/2026/'), store('photos/')), { link: 1, claim: 'with' }),
  scope('the whole address', widened(store('photos/'), store('')), { link: 1, claim: 'with' }),
  scope(
    'a folder beside',
    widened(store('photos/'), store('notes')),
    { link: 1, claim: 'with' },
    storing('notes'),
  ),
  scope(
    'a name that begins alike',
    widened(store('photos/'), store('photos2/')),
    { link: 1, claim: 'with' },
    storing('photos2/a'),
  ),
  scope('a folder from a file', widened(store('photos'), store('photos/')), { link: 1, claim: 'with' }),
  scope('a file from a folder of its name', widened(store('photos/a/'), store('photos/a')), {
    link: 1,
    claim: 'with',
  }),
  scope('another case', widened(store('Photos/'), store('photos/')), { link: 1, claim: 'with' }),
  scope(
    'NFD for NFC',
    widened(store('\u00e4/'), store('a\u0308/')),
    { link: 1, claim: 'with' },
    storing('a\u0308/x'),
  ),
  scope('a star as a path', widened(store('*'), store('photos/')), { link: 1, claim: 'with' }),
  scope('widened at the end', three(store('photos/'), store('photos/x/'), store('photos/')), {
    link: 0,
    claim: 'with',
  }),
  scope(
    'delete from store',
    widened(store('photos/'), [can(alice, 'photos/', 'gaia/delete')]),
    { link: 1, claim: 'can' },
    deleting('photos/a'),
  ),
  scope('gaia/* from store', widened(store('photos/'), [can(alice, 'photos/', 'gaia/*')]), {
    link: 1,
    claim: 'can',
  }),
  scope('* from gaia/*', widened([can(alice, 'photos/', 'gaia/*')], [can(alice, 'photos/', '*')]), {
    link: 1,
    claim: 'can',
  }),
  scope('store from archive', widened([can(alice, 'photos/', 'gaia/archive')], store('photos/')), {
    link: 1,
    claim: 'can',
  }),
  scope('store from delete', widened([can(alice, 'photos/', 'gaia/delete')], store('photos/')), {
    link: 1,
    claim: 'can',
  }),
  scope('store from list', widened([can(alice, 'photos/', 'gaia/list')], store('photos/')), {
    link: 1,
    claim: 'can',
  }),
  scope('store from grant', widened([can(alice, 'photos/', 'gaia/grant')], store('photos/')), {
    link: 1,
    claim: 'can',
  }),
  scope(
    'list from store',
    widened(store(''), [can(alice, '', 'gaia/list')]),
    { link: 1, claim: 'can' },
    listing,
  ),
  scope(
    'delete by way of archive that rests on store',
    widened(store('photos/'), [can(alice, 'photos/', 'gaia/archive')]),
    { link: 1, claim: 'can' },
    deleting('photos/a'),
  ),
  scope(
    'store by way of archive that rests on store',
    three(store('photos/'), [can(alice, 'photos/', 'gaia/archive')], store('photos/')),
    { link: 0, claim: 'can' },
  ),
  scope('an ability that nobody knows', widened([can(alice, 'photos/', 'gaia/write')], store('photos/')), {
    link: 1,
  }),
  scope(
    'a resource of another scheme',
    widened([{ with: `https://${alice.address}/photos/`, can: '*' }], store('photos/')),
    { link: 1 },
  ),
  scope('nothing given', widened([], store('photos/')), { link: 1, claim: 'prf' }),
  scope('nothing asked for', three(store('photos/'), store('photos/'), []), { link: 0 }),
  scope('maxSize dropped', widened(store('photos/', { maxSize: 1 }), store('photos/')), {
    link: 1,
    claim: 'nb',
  }),
  scope('maxSize raised', widened(store('photos/', { maxSize: 10 }), store('photos/', { maxSize: 20 })), {
    link: 1,
    claim: 'nb',
  }),
  scope(
    'maxSize dropped at the end',
    three(store('photos/', { maxSize: 9 }), store('photos/', { maxSize: 9 }), store('photos/')),
    { link: 0, claim: 'nb' },
  ),
  scope('a body beyond maxSize', byBob({ payload: { att: store('photos/', { maxSize: 5 }) } }), { link: 0 }),
  scope('contentType dropped', widened(store('photos/', { contentType: ['image/*'] }), store('photos/')), {
    link: 1,
    claim: 'nb',
  }),
  scope(
    'contentType widened',
    widened(store('photos/', { contentType: ['text/html'] }), store('photos/', { contentType: ['text/*'] })),
    { link: 1, claim: 'nb' },
  ),
  scope('createOnly dropped', widened(store('photos/', { createOnly: true }), store('photos/')), {
    link: 1,
    claim: 'nb',
  }),
  scope(
    'createOnly kept',
    widened(store('photos/', { createOnly: true }), store('photos/', { createOnly: true })),
    {},
  ),
  scope(
    'createOnly and gaia/*',
    widened(
      [can(alice, '', 'gaia/*', { createOnly: true })],
      [can(alice, '', 'gaia/*', { createOnly: true })],
    ),
    {},
    deleting('photos/a'),
  ),
  scope(
    'two halves of what is needed',
    invoke(bob, [can(alice, 'photos/', 'gaia/*')], {
      proofs: [
        delegate(alice, bob, store('photos/')),
        delegate(alice, bob, [can(alice, 'photos/', 'gaia/delete')]),
      ],
    }),
    { link: 0, claim: 'can' },
  ),
  scope(
    'the path of one proof with the ability of another',
    invoke(bob, [can(alice, 'notes', 'gaia/store')], {
      proofs: [delegate(alice, bob, store('photos/')), delegate(alice, bob, [can(alice, '', 'gaia/list')])],
    }),
    { link: 0 },
    storing('notes'),
  ),
  {
    name: 'the history of an archive writer',
    as: invoke(bob, [can(alice, '', 'gaia/archive')], {
      proofs: [delegate(alice, bob, [can(alice, '', 'gaia/archive')])],
    }),
    attempt: storing('photos/.history.1.abcdefghij.a'),
    refused: { code: 'not-covered', link: 0 },
  },
  ...[
    'my:*',
    'MY:gaia',
    `my:${alice.did}`,
    `as:${alice.did}:*`,
    'prf:*',
    'prf:0',
    'ucan:*',
    'ucan://x/*',
    `gaia:${alice.address}/`,
    `gaia:///photos/`,
    `gaia://${alice.address}`,
    `gaia://${alice.address}/%2e%2e/`,
    `gaia://${alice.address}/photos%2F`,
    `gaia://${alice.address}/../`,
    `gaia://${alice.address}/photos//`,
    `gaia://${alice.address}-auth/`,
    `gaia://user@${alice.address}/`,
    'gaia://*/',
    'photos/',
    '',
  ].map(
    (resource): Attack => ({
      name: `the resource "${resource.replaceAll(alice.address, '<alice>').replaceAll(alice.did, '<did>')}"`,
      as: byBob({ payload: { att: [...photos, { with: resource, can: '*' }] } }),
      refused: { code: 'malformed', link: 0, claim: 'att[1].with' },
    }),
  ),
])

attacks('an attack on the root', [
  { name: 'Mallory claims all of it', as: invoke(mallory, everything), refused: { code: 'no-grant' } },
  {
    name: 'Mallory delegates it to Bob',
    as: invoke(bob, photos, { proofs: [delegate(mallory, bob, photos)] }),
    refused: { code: 'root-not-owner', link: 1, claim: 'iss' },
  },
  {
    name: 'Mallory delegates it to herself',
    as: invoke(mallory, photos, { proofs: [delegate(mallory, mallory, photos)] }),
    refused: { code: 'root-not-owner', link: 1, claim: 'iss' },
  },
  {
    name: 'Mallory proves an address of her own',
    as: invoke(bob, photos, { proofs: [delegate(mallory, bob, [can(mallory, '', '*')])] }),
    refused: { code: 'root-not-owner', link: 1 },
  },
  {
    name: 'Bob gives Carol what nobody gave to him',
    as: invoke(carol, photos, { proofs: [delegate(bob, carol, photos)] }),
    refused: { code: 'root-not-owner', link: 1 },
  },
  {
    name: 'a real crumb of Alice with a forged feast beside it',
    as: invoke(bob, photos, {
      proofs: [
        delegate(mallory, bob, everything, {
          proofs: [delegate(alice, mallory, [can(alice, 'crumb', 'gaia/list')])],
        }),
      ],
    }),
    refused: { code: 'not-covered', link: 1 },
  },
  {
    name: 'a real grant that has nothing to do with it, and a chain without root',
    as: invoke(bob, photos, {
      proofs: [delegate(alice, bob, [can(alice, 'crumb', 'gaia/list')]), delegate(mallory, bob, everything)],
    }),
    refused: { code: 'not-covered' },
  },
  {
    name: 'the other address of the key of Alice',
    as: invoke(bob, photos, {
      proofs: [delegate(alice, bob, [{ with: `gaia://${alice.did.slice(8)}/`, can: '*' }])],
    }),
    refused: { code: 'not-covered', link: 0 },
  },
])

function longChain(length: number, version: '0.8.1' | '0.10.0'): string[] {
  const people = [alice, ...Array.from({ length: length - 1 }, (_, i) => persona(`friend ${i}`))]
  const slim = [can(alice, 'photos/', '*')]
  return mintChain(people.map((issuer): ChainLink => ({ issuer, version, capabilities: slim })))
}

function fillers(count: number): string[] {
  return Array.from({ length: count }, (_, i) => delegate(alice, bob, [], { version: '0.10.0', issuedAt: i }))
}

const nine = longChain(9, '0.10.0')
const nineInline = longChain(9, '0.8.1').at(-1) ?? ''
const ten = { version: '0.10.0' } as const
const rootOfTen = delegate(alice, bob, photos, ten)
const wide = (count: number) =>
  Array.from({ length: count }, (_, i) => can(alice, `photos/${i}`, 'gaia/list'))

attacks('an attack on the graph', [
  {
    name: 'nine tokens by CID',
    as: `ucan:${nine.at(-1)}`,
    ucans: nine.slice(0, -1),
    refused: { code: 'too-deep', link: 8 },
  },
  {
    name: 'nine tokens, a shorter way beside',
    as: invoke(persona('friend 7'), photos, {
      ...ten,
      payload: { prf: [cidOf(nine[7] ?? ''), cidOf(delegate(alice, persona('friend 7'), photos, ten))] },
    }),
    ucans: [...nine.slice(0, -1), delegate(alice, persona('friend 7'), photos, ten)],
    refused: { code: 'too-deep' },
  },
  {
    name: `nine tokens inline, ${nineInline.length} bytes`,
    as: `ucan:${nineInline}`,
    refused: { code: nineInline.length > 16_384 ? 'too-large' : 'too-deep' },
  },
  {
    name: '17 tokens by CID',
    as: invoke(bob, photos, { ...ten, proofs: [rootOfTen, ...fillers(15)] }),
    ucans: [rootOfTen, ...fillers(15)],
    refused: { code: 'too-large', link: null },
  },
  {
    name: '17 tokens that nobody has',
    as: invoke(bob, photos, {
      ...ten,
      payload: { prf: Array.from({ length: 16 }, (_, i) => cidOf(`${i}`)) },
    }),
    refused: { code: 'too-large', link: null },
  },
  {
    name: '17 proofs in one token',
    as: invoke(bob, photos, {
      ...ten,
      payload: { prf: Array.from({ length: 17 }, (_, i) => cidOf(`${i}`)) },
    }),
    refused: { code: 'too-large', link: 0, claim: 'prf' },
  },
  {
    name: '65 capabilities',
    as: byBob({ payload: { att: [...photos, ...wide(63)] } }),
    refused: { code: 'too-large', link: null },
  },
  {
    name: '65 capabilities of other schemes',
    as: byBob({
      payload: { att: [...photos, ...wide(63).map((_, i) => ({ with: `mailto:${i}@x`, can: 'msg/send' }))] },
    }),
    refused: { code: 'too-large', link: null },
  },
  {
    name: '65 alternatives',
    as: invoke(alice, [], {
      ...ten,
      payload: { cap: { [at(alice, 'photos/')]: { 'gaia/store': wide(65).map(() => ({})) } } },
    }),
    refused: { code: 'too-large', link: null },
  },
  {
    name: 'too much is told before a signature is looked at',
    as: byBob({ signer: mallory, payload: { att: [...photos, ...wide(64)] } }),
    refused: { code: 'too-large', link: null },
  },
  {
    name: 'a proof that nobody has',
    as: byBob({ ...ten, proofs: [rootOfTen] }),
    refused: { code: 'missing-proof', link: 0, claim: 'prf' },
  },
  {
    name: 'a proof that nobody has beside a forged one',
    as: byBob({ ...ten, proofs: [rootOfTen, delegate(alice, bob, everything, { ...ten, signer: mallory })] }),
    ucans: [delegate(alice, bob, everything, { ...ten, signer: mallory })],
    refused: { code: 'bad-signature', link: 1 },
  },
  ...(
    [
      ['a CID in 0.8', '0.8.1', cidOf(toBob)],
      ['an inline proof in 0.10', '0.10.0', toBob],
      ['a CID of another codec', '0.10.0', 'bafyreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e'],
      ['a CID of version 0', '0.10.0', 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG'],
      ['a CID in upper case', '0.10.0', cidOf(toBob).toUpperCase()],
      ['a number', '0.10.0', 1],
      ['null', '0.10.0', null],
      ['an object', '0.9.1', {}],
      ['an empty text', '0.9.1', ''],
    ] as Array<[string, '0.8.1' | '0.9.1' | '0.10.0', unknown]>
  ).map(
    ([name, version, proof]): Attack => ({
      name: `${name} as a proof`,
      as: invoke(bob, photos, { version, payload: { prf: [proof] } }),
      refused: { code: 'malformed', link: 0, claim: 'prf' },
    }),
  ),
  {
    name: 'an object of proofs',
    as: byBob({ payload: { prf: { 0: toBob } } }),
    refused: { code: 'malformed', link: 0, claim: 'prf' },
  },
  {
    name: 'a proof in prf itself',
    as: byBob({ payload: { prf: toBob } }),
    refused: { code: 'malformed', link: 0, claim: 'prf' },
  },
  {
    name: 'an invocation of Alice to the hub as a proof',
    as: invoke(bob, photos, {
      proofs: [mint({ issuer: alice, audience: hubDid, capabilities: everything })],
    }),
    refused: { code: 'principal-mismatch', link: 0 },
  },
  {
    name: 'a forged proof that nothing needs',
    as: invoke(bob, photos, {
      proofs: [toBob, delegate(alice, bob, photos, { signer: mallory, issuedAt: 3 })],
    }),
    refused: { code: 'bad-signature', link: 1 },
  },
])

const gone = delegate(alice, bob, photos, { issuedAt: 77 })
const goneOnwards = delegate(bob, carol, photos, { proofs: [gone] })

attacks(
  'an attack with what is revoked',
  [
    { name: 'a grant', as: invoke(bob, photos, { proofs: [gone] }), refused: { code: 'revoked', link: 1 } },
    {
      name: 'its child',
      as: invoke(carol, photos, { proofs: [goneOnwards] }),
      refused: { code: 'revoked', link: 2 },
    },
    {
      name: 'a grant beside a good one',
      as: invoke(bob, photos, { proofs: [toBob, gone] }),
      refused: { code: 'revoked', link: 1 },
    },
    {
      name: 'a grant by CID',
      as: invoke(bob, photos, { version: '0.10.0', proofs: [gone] }),
      ucans: [gone],
      refused: { code: 'revoked', link: 1 },
    },
    {
      name: 'a child made afterwards',
      as: invoke(dave, photos, { proofs: [delegate(bob, dave, photos, { proofs: [gone], issuedAt: 5 })] }),
      refused: { code: 'revoked', link: 2 },
    },
    {
      name: 'a grant deposited',
      as: v1(alice),
      attempt: (world, ask) => world.deposit(alice, { ucan: gone }, ask),
      refused: { code: 'revoked', link: 0 },
    },
    {
      name: 'its child deposited',
      as: v1(alice),
      attempt: (world, ask) => world.deposit(alice, { ucan: goneOnwards }, ask),
      refused: { code: 'revoked', link: 1 },
    },
    {
      name: "to revoke what is not one's own",
      as: invoke(mallory, everything),
      attempt: (world, ask) => world.revoke(alice, { ucan: toBob }, ask),
      refused: { code: 'root-not-owner', link: 0 },
    },
    {
      name: 'to revoke all with what is revoked',
      as: invoke(bob, everything, { proofs: [gone] }),
      attempt: (world, ask) => world.revokeAll(alice, 1, ask),
      refused: { code: 'revoked', link: 1 },
    },
    {
      name: 'to revoke with what is revoked',
      as: invoke(bob, [], { proofs: [gone] }),
      attempt: (world, ask) => world.revoke(alice, { ucan: goneOnwards }, ask),
      refused: { code: 'revoked', link: 1 },
    },
  ],
  (world) => world.revoke(alice, { ucan: gone }, { as: asOwner(alice) }),
)
