import { expect } from 'chai'
import { publicKeyFromHex } from '../../hub/auth/keys.ts'
import { suiteHub } from './harness.ts'
import { alice, bob, type Person } from './people.ts'
import { type Claims, forge, serverName, v1Token } from './tokens.ts'

const exp = 1_900_000_000

function ucan(issuer: Person, claims: Claims): string {
  return forge({
    header: { typ: 'JWT', alg: 'ES256K', ucv: '0.9.1' },
    payload: { iss: publicKeyFromHex(issuer.publicKeyHex).did, prf: [], ...claims },
    signer: issuer,
  })
}

describe('a grant to create files only', () => {
  const suite = suiteHub()
  const everything = `gaia://${alice.address}/`

  before(async () => {
    const grant = ucan(alice, {
      aud: publicKeyFromHex(bob.publicKeyHex).did,
      exp,
      att: [
        { with: everything, can: 'gaia/store', nb: { createOnly: true } },
        { with: everything, can: 'gaia/list' },
      ],
    })
    const body = JSON.stringify({ ucan: grant })
    expect((await suite.hub.send('POST', `/grant/${alice.address}`, { by: alice, body })).status).to.equal(
      201,
    )
  })

  /** An invocation without proofs that asks for one ability; its life is short. */
  const invocation = (can: string) =>
    `ucan:${ucan(bob, {
      aud: `did:web:${serverName}`,
      exp: suite.hub.clock.seconds() + 60,
      att: [{ with: everything, can }],
    })}`

  const credentials: [string, () => string][] = [
    ['a v1 token', () => v1Token(bob)],
    [
      'a v1 token with an archival scope',
      () => v1Token(bob, { scopes: [{ scope: 'putFileArchivalPrefix', domain: '' }] }),
    ],
    ['an invocation that asks for gaia/store', () => invocation('gaia/store')],
    ['an invocation that asks for gaia/archive', () => invocation('gaia/archive')],
  ]
  for (const [i, [what, token]] of credentials.entries()) {
    it(`creates and never replaces, by ${what}`, async () => {
      const path = `by-${i}`
      const writer = { at: alice, token: token() }
      expect((await suite.hub.store(path, 'first', writer)).status).to.equal(202)
      for (const headers of [{}, { 'If-Match': '*' }]) {
        const answer = await suite.hub.store(path, 'second', { ...writer, headers })
        expect(answer.status).to.equal(403)
        expect(answer.json).to.include({ error: 'NotAuthorizedError', code: 'not-covered' })
      }
      const headers = { 'If-None-Match': '*' }
      expect((await suite.hub.store(path, 'second', { ...writer, headers })).status).to.equal(412)
      expect((await suite.hub.delete(path, writer)).status).to.equal(403)
      const { json } = await suite.hub.list({ page: null, prefix: '', stat: true }, { by: alice })
      const entries = json?.entries as { name: string; contentLength: number }[]
      expect(
        entries.filter(({ name }) => name.includes(path)).map(({ contentLength }) => contentLength),
      ).to.deep.equal([5])
    })
  }
})
