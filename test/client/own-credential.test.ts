import { expect } from 'chai'
import { connect, generateSigner, type Signer, stacksSigner } from '../../client/index.ts'
import { readJwtPayload } from '../../client/jwt.ts'
import type { RunningServer } from '../../http/server.ts'
import { fakeClock, startHub, startReader, type TestHub } from '../hub/harness.ts'
import { alice, bob } from '../hub/people.ts'
import { v1Token } from '../hub/tokens.ts'
import { rejection } from './rejection.ts'

const hour = 3600

for (const [what, makeSigner] of [
  ['a Stacks key', async () => stacksSigner(alice.privateKeyHex)],
  ['a P-256 key', () => generateSigner('P-256')],
] as const) {
  describe(`the credential of ${what} at its own bucket`, () => {
    const clock = fakeClock()
    let hub: TestHub
    let reader: RunningServer
    let signer: Signer
    before(async () => {
      signer = await makeSigner()
      hub = await startHub({ clock })
      reader = await startReader(hub.driver)
    })
    after(async () => {
      await hub.close()
      await reader.close()
    })
    const join = () => connect({ hub: hub.url, signer, now: clock, retry: { maxElapsedMs: 0 } })
    const credentialOf = async (connection: Awaited<ReturnType<typeof join>>) =>
      (await connection.transport.credentials.headers([{ ability: 'gaia/store', path: 'a' }]))
        .Authorization ?? ''

    it('is remembered, and renewed when half of its life is over', async () => {
      const me = await join()
      const first = await credentialOf(me)
      clock.advanceSeconds(hour / 2 - 1)
      expect(await credentialOf(me)).to.equal(first)
      clock.advanceSeconds(1)
      expect(await credentialOf(me)).not.to.equal(first)
    })

    it('is new for what cannot be sent again', async () => {
      const me = await join()
      const needs = [{ ability: 'gaia/store', path: 'a' }]
      const remembered = await me.transport.credentials.headers(needs)
      clock.advanceSeconds(1)
      expect(await me.transport.credentials.headers(needs, { fresh: true })).not.to.deep.equal(remembered)
    })

    it('outlives a revoke-all through the same connection, in the same second', async () => {
      const statuses: number[] = []
      const watching: typeof fetch = async (...args) => {
        const response = await fetch(...args)
        statuses.push(response.status)
        return response
      }
      const me = await connect({ hub: hub.url, signer, now: clock, fetch: watching })
      await me.put('before', 'x', { overwrite: true })
      const oldest = await me.revokeAll()
      expect(oldest).to.equal(clock.seconds() + 1)
      await me.put('after', 'x', { overwrite: true })
      expect(statuses).not.to.include(401)
    })

    it('is made anew, once, where another device has revoked all', async () => {
      const me = await join()
      const phone = await join()
      clock.advanceSeconds(10)
      await me.put('mine', 'x', { overwrite: true })
      await phone.revokeAll()
      clock.advanceSeconds(10)
      await me.put('mine', 'y')
    })

    it('is told to be too old where a new one would be too', async () => {
      const me = await join()
      const phone = await join()
      await me.put('mine too', 'x', { overwrite: true })
      await phone.revokeAll()
      const error = await rejection(me.put('mine too', 'y'))
      expect(error).to.include({ status: 401 })
      expect(['token-too-old', 'revoked']).to.include((error as Error & { code: string }).code)
      clock.advanceSeconds(2)
    })
  })
}

describe('a v1 token that the SDK signs', () => {
  let hub: TestHub
  before(async () => {
    hub = await startHub({
      whitelist: [bob.address],
      requireCorrectHubUrl: true,
      validHubUrls: ['http://sub.example/'],
    })
  })
  after(() => hub.close())

  it('says what the hub wants to know, and nothing of the key', async () => {
    const signer = stacksSigner(alice.privateKeyHex)
    const me = await connect({ hub: `${hub.url}/`, signer, now: hub.clock })
    const { Authorization = '' } = await me.transport.credentials.headers([])
    expect(Authorization).to.match(/^Bearer v1:/)
    expect(readJwtPayload(Authorization.slice('Bearer v1:'.length))).to.include({
      gaiaChallenge: me.hub.challengeText,
      hubUrl: hub.url,
      iss: alice.publicKeyHex,
      iat: hub.clock.seconds(),
      exp: hub.clock.seconds() + hour,
    })
  })

  it("takes the association token along, for a hub with a whitelist: gaiaHubConfig's own", async () => {
    const { associationJwt } = await import('../hub/tokens.ts')
    const { gaiaSigner } = await import('../../client/index.ts')
    const token = v1Token(alice, { associationToken: associationJwt(bob, alice) })
    const open = await startHub({ whitelist: [bob.address] })
    try {
      const gaiaHubConfig = { address: alice.address, token, server: open.url }
      const signer = gaiaSigner({ gaiaHubConfig, appPrivateKey: `${alice.privateKeyHex}01` })
      const me = await connect({ hub: open.url, signer, now: open.clock })
      await me.put('associated', 'x')
      const alone = await connect({
        hub: open.url,
        signer: stacksSigner(alice.privateKeyHex),
        now: open.clock,
      })
      expect(await rejection(alone.put('alone', 'x'))).to.include({ status: 401 })
    } finally {
      await open.close()
    }
  })
})
