import { expect } from 'chai'
import { cidOf } from '../../hub/auth/ucan/index.ts'
import { openRaw, rawHead } from '../hub/raw.ts'
import { associationJwt, legacyBody } from '../hub/tokens.ts'
import { can, ucansHeader } from '../ucan/mint.ts'
import { type Attack, attacks, bare, byBob, everything, photos, toBob } from './attacking.ts'
import { alice, asOwner, bob, carol, delegate, invoke, mallory, newOwner, personOf, v1 } from './people.ts'
import { expectRefused, expectStatus, headersOf, suiteWorld, withWorld } from './world.ts'

const own = invoke(alice, everything)
const validation = { status: 401, error: 'ValidationError' } as const
const bobsV1 = v1(bob)

attacks('a replay', [
  { name: 'a UCAN as v1', as: `v1:${bare(own)}`, refused: { code: 'malformed' } },
  { name: 'a v1 token as a UCAN', as: `ucan:${bare(v1(alice))}`, refused: { code: 'malformed', link: 0 } },
  { name: 'a v1 token bare', as: bare(v1(alice)), refused: { code: 'malformed', link: 0 } },
  { name: 'a UCAN as a legacy token', as: Buffer.from(bare(own)).toString('base64'), refused: validation },
  {
    name: 'a UCAN in a legacy token',
    as: legacyBody({ publickey: personOf(alice).publicKeyHex, signature: bare(own) }),
    refused: validation,
  },
  {
    name: 'a UCAN of Alice as association token',
    as: v1(mallory, { associationToken: bare(own) }),
    refused: { code: 'malformed' },
  },
  {
    name: 'an association token of Alice',
    as: v1(mallory, { associationToken: associationJwt(personOf(alice), personOf(mallory)) }),
    refused: { code: 'no-grant' },
  },
  {
    name: 'an association token as the credential',
    as: `v1:${associationJwt(personOf(alice), personOf(mallory))}`,
    refused: validation,
  },
  {
    name: 'an association token as a UCAN',
    as: `ucan:${associationJwt(personOf(alice), personOf(mallory))}`,
    refused: { code: 'malformed', link: 0 },
  },
  {
    name: 'an association token as a proof',
    as: invoke(mallory, photos, { payload: { prf: [associationJwt(personOf(alice), personOf(mallory))] } }),
    refused: { code: 'malformed', link: 1 },
  },
  {
    name: 'a v1 token of Alice as a proof',
    as: invoke(mallory, photos, { payload: { prf: [bare(v1(alice))] } }),
    refused: { code: 'malformed', link: 1 },
  },
  {
    name: 'a grant as an invocation',
    as: `ucan:${toBob}`,
    refused: { code: 'wrong-audience', link: 0, claim: 'aud' },
  },
  {
    name: 'an invocation for another hub',
    as: invoke(alice, everything, { audience: 'did:web:other.example' }),
    refused: { code: 'wrong-audience', link: 0 },
  },
  {
    name: 'a v1 token for another hub',
    as: v1(alice, { gaiaChallenge: '["gaiahub","0","other.example","blockstack_storage_please_sign"]' }),
    refused: validation,
  },
  {
    name: 'an invocation for this address by the owner of another',
    as: invoke(mallory, [can(mallory, '', '*')]),
    refused: { code: 'no-grant' },
  },
  {
    name: 'an invocation of Alice deposited as a grant',
    as: v1(alice),
    attempt: (world, ask) => world.deposit(alice, { ucan: bare(own) }, ask),
    refused: { status: 400, error: 'InvalidInputError' },
  },
  {
    name: 'an invocation of Alice deposited by another',
    as: v1(mallory),
    attempt: (world, ask) => world.deposit(alice, { ucan: bare(own) }, ask),
    refused: { status: 400, error: 'InvalidInputError' },
  },
  {
    name: 'a v1 token deposited as a grant',
    as: v1(alice),
    attempt: (world, ask) => world.deposit(alice, { ucan: bare(v1(alice)) }, ask),
    refused: { code: 'malformed', link: 0 },
  },
  {
    name: 'a grant of another address deposited here',
    as: v1(alice),
    attempt: (world, ask) =>
      world.deposit(alice, { ucan: delegate(mallory, bob, [can(mallory, '', '*')]) }, ask),
    refused: { code: 'root-not-owner' },
  },
  {
    name: 'a grant put into another request header',
    as: invoke(bob, photos, { version: '0.10.0', proofs: [toBob] }),
    headers: { 'x-ucans': ucansHeader(toBob), ucan: ucansHeader(toBob), 'ucans-0': ucansHeader(toBob) },
    refused: { code: 'missing-proof', link: 0 },
  },
  { name: 'the ucans header alone', ucans: [bare(own)], refused: validation },
  {
    name: 'a credential in the address line',
    headers: {},
    attempt: (world) =>
      world.send('POST', `/store/${alice.address}/photos/a?token=${bare(own)}&authorization=x`, {
        body: 'x',
      }),
    refused: validation,
  },
])

describe('a replay at another place', () => {
  it('of an invocation at another address gives what that one says of it: nothing', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      expectStatus(await world.store(alice, 'photos/a', { as: own }), 202)
      expectRefused(await world.store(owner, 'photos/a', { as: own }), { code: 'no-grant' })
      expectRefused(await world.store(owner, 'photos/a', { as: byBob() }), { code: 'not-covered', link: 0 })
      expect(await world.snapshot(owner)).to.deep.equal([])
    })
  })

  it('of an invocation at another hub is refused, and the other way round', async () => {
    await withWorld({ serverName: 'other.example' }, async (other) => {
      for (const as of [own, byBob()]) {
        expectRefused(await other.store(alice, 'photos/a', { as }), { code: 'wrong-audience', link: 0 })
      }
      const theirs = invoke(alice, everything, { audience: 'did:web:other.example' })
      expectStatus(await other.store(alice, 'photos/a', { as: theirs }), 202)
    })
  })

  it('of a grant from one address at another finds none', async () => {
    await withWorld({}, async (world) => {
      const owner = newOwner()
      await world.deposit(alice, { ucan: toBob }, { as: asOwner(alice) })
      expectStatus(await world.store(alice, 'photos/a', { as: bobsV1 }), 202)
      expectRefused(await world.store(owner, 'photos/a', { as: bobsV1 }), { code: 'no-grant' })
    })
  })

  it('of a whole request goes through while the invocation lasts, as the protocol has it', async () => {
    await withWorld({}, async (world) => {
      for (let i = 0; i < 3; i++)
        expectStatus(await world.store(alice, 'photos/a', { as: own, body: 'x' }), 202)
    })
  })
})

describe('headers that are sent twice', () => {
  const suite = suiteWorld()
  const forged = byBob({ signer: mallory })
  const use = invoke(bob, photos, { version: '0.10.0', proofs: [toBob] })
  const stray = delegate(mallory, bob, everything)

  const rows: Array<{ name: string; headers: Array<[string, string]>; status: number; code?: string }> = [
    {
      name: 'a forged credential, then a good one',
      headers: [
        ['Authorization', `Bearer ${forged}`],
        ['Authorization', `Bearer ${byBob()}`],
      ],
      status: 401,
      code: 'bad-signature',
    },
    {
      name: 'an empty credential, then a good one',
      headers: [
        ['Authorization', ''],
        ['authorization', `Bearer ${byBob()}`],
      ],
      status: 401,
    },
    {
      name: 'two credentials in one line',
      headers: [['Authorization', `Bearer ${forged}, Bearer ${byBob()}`]],
      status: 401,
    },
    {
      name: 'two credentials behind one scheme',
      headers: [['Authorization', `Bearer ${forged} ${bare(byBob())}`]],
      status: 401,
    },
    { name: 'a credential with a tab', headers: [['Authorization', `Bearer\t${byBob()}`]], status: 401 },
    {
      name: 'a credential folded over two lines',
      headers: [['Authorization', `Bearer\r\n ${byBob()}`]],
      status: 400,
    },
    {
      name: 'the same ucans twice',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ['ucans', ucansHeader(toBob)],
        ['ucans', ucansHeader(toBob)],
      ],
      status: 401,
      code: 'malformed',
    },
    {
      name: 'ucans in two lines',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ['ucans', ucansHeader(stray)],
        ['UCANS', ucansHeader(toBob)],
      ],
      status: 202,
    },
    {
      name: 'a CID of one token with another',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ['ucans', `${cidOf(toBob)}: ${stray}`],
      ],
      status: 401,
      code: 'malformed',
    },
    {
      name: 'a CID in one line and its token in the next',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ['ucans', `${cidOf(toBob)}:`],
        ['ucans', toBob],
      ],
      status: 401,
      code: 'malformed',
    },
    {
      name: 'ucans with empty entries',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ['ucans', `,, ${ucansHeader(toBob)} ,`],
      ],
      status: 202,
    },
    {
      name: '17 ucans in 17 lines',
      headers: [
        ['Authorization', `Bearer ${use}`],
        ...Array.from({ length: 17 }, (_, i): [string, string] => ['ucans', ucansHeader(`x${i}`)]),
      ],
      status: 401,
      code: 'too-large',
    },
    {
      name: 'a credential under another name',
      headers: [['Proxy-Authorization', `Bearer ${byBob()}`]],
      status: 401,
    },
    {
      name: 'a name with a space before its colon',
      headers: [['Authorization ', `Bearer ${byBob()}`]],
      status: 400,
    },
  ]
  for (const { name, headers, status, code } of rows) {
    it(`${status}: ${name}`, async () => {
      const { world } = suite
      await world.store(alice, 'photos/a', { as: asOwner(alice), body: 'kept' })
      const connection = openRaw(world.hub.port)
      const lines = headers.map(([header, value]) => `${header}: ${value}\r\n`).join('')
      const start = Buffer.from(
        rawHead('POST', `/store/${alice.address}/photos/a`, { 'Content-Length': '3' }),
      )
      connection.write(Buffer.concat([start.subarray(0, -2), Buffer.from(`${lines}\r\nnew`)]))
      const answer = await connection.answer
      connection.socket.destroy()
      expect(answer.status, answer.body).to.equal(status)
      if (code !== undefined) expect(answer.json().code).to.equal(code)
      expect(await world.content(alice, 'photos/a')).to.equal(status === 202 ? 'new' : 'kept')
      expect(answer.body).not.to.include(bare(byBob()).slice(-20))
    })
  }

  it('carry the first credential alone: nothing is added up', async () => {
    const { world } = suite
    const owner = newOwner()
    await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'kept' })
    const rows: Array<[first: string, second: string, status: number]> = [
      [v1(mallory), v1(owner), 401],
      [v1(owner), v1(mallory), 202],
      [invoke(owner, [can(owner, 'notes', 'gaia/store')]), invoke(owner, [can(owner, '', '*')]), 403],
    ]
    for (const [first, second, status] of rows) {
      const connection = openRaw(world.hub.port)
      const head = {
        ...headersOf({ as: first }),
        authorization: `Bearer ${second}`,
        'Content-Length': '3',
      }
      connection.write(rawHead('POST', `/store/${owner.address}/photos/a`, head))
      connection.write('new')
      expect((await connection.answer).status).to.equal(status)
      connection.socket.destroy()
    }
  })
})

/** Tokens one inside the other, each signed. */
function nested(count: number): string {
  let jwt = delegate(alice, bob, [])
  for (let i = 1; i < count; i++) jwt = delegate(bob, bob, [], { proofs: [jwt] })
  return jwt
}

attacks('an attack by size', [
  { name: '17 KB of nothing', as: `ucan:${'x'.repeat(17_000)}`, refused: { code: 'too-large' } },
  { name: '17 KB of v1', as: `v1:${'x'.repeat(17_000)}`, refused: { code: 'too-large' } },
  { name: '30 KB of dots', as: `ucan:${'.'.repeat(30_000)}`, refused: { code: 'too-large' } },
  { name: '16 KB of dots', as: `ucan:${'.'.repeat(16_000)}`, refused: { code: 'malformed', link: 0 } },
  {
    name: '36 KB of headers',
    as: `ucan:${'x'.repeat(36_000)}`,
    refused: { status: 431, error: 'HeadersTooLargeError' },
  },
  {
    name: 'a good token with 30 KB of ucans',
    as: byBob(),
    ucans: ucansHeader('x'.repeat(30_000)),
    refused: { code: 'too-large' },
  },
  {
    name: 'a good token with 16 KB of ucans',
    as: byBob(),
    ucans: ucansHeader('x'.repeat(15_900)),
    refused: { code: 'too-large' },
  },
  {
    name: 'a good token with 16,000 commas',
    as: byBob(),
    ucans: `${','.repeat(16_000)}x`,
    refused: { code: 'malformed', claim: 'ucans' },
  },
  {
    name: 'deep inline nesting',
    as: invoke(bob, photos, { proofs: [nested(8)] }),
    refused: { code: 'too-deep', link: 8 },
  },
  {
    name: 'inline nesting of 40 KB in a body',
    as: v1(alice),
    attempt: (world, ask) => world.deposit(alice, { ucan: nested(12) }, ask),
    refused: { code: 'too-large' },
  },
  {
    name: 'proofs of 60 KB in a body',
    as: v1(alice),
    attempt: (world, ask) =>
      world.deposit(
        alice,
        { ucan: toBob, proofs: Array.from({ length: 16 }, (_, i) => `${i}`.padEnd(3800, 'x')) },
        ask,
      ),
    refused: { code: 'too-large' },
  },
  {
    name: 'a body of 100 KB to revoke',
    as: v1(alice),
    attempt: (world, ask) => world.revoke(alice, { ucan: 'x'.repeat(100_000) }, ask),
    refused: { status: 413, error: 'PayloadTooLargeError' },
  },
  {
    name: 'a body nested 30,000 deep',
    as: v1(alice),
    attempt: (world, ask) =>
      world.send('POST', `/grant/${alice.address}`, {
        ...ask,
        body: `{"ucan":${'['.repeat(15_000)}${']'.repeat(15_000)}}`,
      }),
    refused: { status: 400, error: 'InvalidInputError' },
  },
  {
    name: '5,000 characters of iss',
    as: invoke(carol, photos, { payload: { iss: `did:key:z${'1'.repeat(5000)}` } }),
    refused: { code: 'malformed', link: 0, claim: 'iss' },
  },
  {
    name: '1,000 capabilities',
    as: invoke(alice, [], {
      payload: { att: Array.from({ length: 1000 }, () => ({ with: 'a:', can: '*' })) },
    }),
    refused: { code: 'too-large' },
  },
] satisfies Attack[])
