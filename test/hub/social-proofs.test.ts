import { expect } from 'chai'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { faultyDriver } from './faulty-driver.ts'
import { type HubOverrides, type TestHub, withHub } from './harness.ts'
import { alice, mallory, type Person } from './people.ts'
import { forge } from './tokens.ts'

const twitter = {
  '@type': 'Account',
  service: 'twitter',
  identifier: 'alice',
  proofUrl: 'https://x.example/1',
}
const github = { '@type': 'Account', service: 'github', identifier: 'alice', proofUrl: 'https://g.example/1' }

/** A profile.json as Stacks' clients store it. */
function profile(account: unknown, signer: Person = alice, named: Person = alice): string {
  const payload = {
    subject: { publicKey: named.publicKeyHex },
    issuer: { publicKey: named.publicKeyHex },
    claim: { '@type': 'Person', account },
  }
  return JSON.stringify([{ token: forge({ payload, signer }), decodedToken: { payload } }])
}

function withProofs(proofsRequired: number, test: (hub: TestHub) => Promise<void>, more: HubOverrides = {}) {
  return withHub({ proofsRequired, ...more }, test)
}

/** Stores a profile, or none, and then a file. */
async function tryStore(hub: TestHub, content: string | null) {
  if (content !== null) expect((await hub.store('profile.json', content, { by: alice })).status).to.equal(202)
  return hub.store('f', 'x', { by: alice })
}

describe('social proofs', () => {
  it('are not asked for where 0 are required', () =>
    withProofs(0, async (hub) => {
      expect((await tryStore(hub, null)).status).to.equal(202)
    }))

  const rows: [string, string | null, number][] = [
    ['two that are well-formed', profile([twitter, github]), 202],
    ['three', profile([twitter, github, { ...twitter, identifier: 'alice2' }]), 202],
    ['two among others that are not', profile([null, 1, {}, twitter, { service: 'x' }, github]), 202],
    ['two behind plain http', profile([twitter, { ...github, proofUrl: 'http://g.example/1' }]), 202],
    ['one', profile([twitter]), 402],
    ['the same one twice', profile([twitter, twitter]), 402],
    [
      'the same account with two URLs',
      profile([twitter, { ...twitter, proofUrl: 'https://x.example/2' }]),
      402,
    ],
    ['one with a URL that is none', profile([twitter, { ...github, proofUrl: 'nowhere' }]), 402],
    ['one with a script for a URL', profile([twitter, { ...github, proofUrl: 'javascript:alert(1)' }]), 402],
    ['one with an empty service', profile([twitter, { ...github, service: '' }]), 402],
    ['one without an identifier', profile([twitter, { ...github, identifier: undefined }]), 402],
    ['one whose URL is a list', profile([twitter, { ...github, proofUrl: ['https://g.example'] }]), 402],
    ['accounts that are no list', profile({ 0: twitter, 1: github }), 402],
    ['no accounts', profile(undefined), 402],
    ['no profile', null, 402],
    ["another key's signature", profile([twitter, github], mallory), 402],
    ["another's profile, signed by that other", profile([twitter, github], mallory, mallory), 402],
    ['an empty profile', '', 402],
    ['a profile that is no JSON', 'x', 402],
    ['a profile that is null', 'null', 402],
    ['a profile that is an empty list', '[]', 402],
    ['a profile without a token', '[{}]', 402],
    ['a token that is no JWT', '[{"token":"x.y"}]', 402],
    [
      'a token with alg none',
      JSON.stringify([{ token: forge({ header: { alg: 'none' }, payload: {} }) }]),
      402,
    ],
    ['a profile of 300 KiB', `${profile([twitter, github])}${' '.repeat(300 * 1024)}`, 402],
  ]
  for (const [what, content, status] of rows) {
    it(`make a store ${status} where two are required, with ${what}`, () =>
      withProofs(2, async (hub) => {
        const answer = await tryStore(hub, content)
        expect(answer.status).to.equal(status)
        if (status === 202) return
        expect(answer.json?.error).to.equal('NotEnoughProofError')
        const { json } = await hub.list({ page: null, prefix: 'f' }, { by: alice })
        expect(json?.entries).to.deep.equal([])
      }))
  }

  it('are not asked for to delete, list or revoke', () =>
    withProofs(2, async (hub) => {
      await hub.store('profile.json', 'x', { by: alice })
      expect((await hub.list({ page: null }, { by: alice })).status).to.equal(202)
      expect((await hub.delete('profile.json', { by: alice })).status).to.equal(202)
      expect((await hub.revokeAll(1, { by: alice })).status).to.equal(202)
    }))

  it('look at the profile at the top alone', () =>
    withProofs(1, async (hub) => {
      expect((await hub.store('sub/profile.json', 'x', { by: alice })).status).to.equal(402)
    }))

  it('do not excuse a wrong credential', () =>
    withProofs(1, async (hub) => {
      expect((await hub.store('profile.json', 'x', { at: alice, by: mallory })).status).to.equal(401)
    }))

  describe('with a verifier', () => {
    it('count where it agrees, and it is told the proof and the address', async () => {
      const asked: string[] = []
      const proofVerifier: HubOverrides['proofVerifier'] = async ({ service, proofUrl }, address) => {
        asked.push(`${service} ${proofUrl.href} ${address}`)
        return true
      }
      await withProofs(
        2,
        async (hub) => {
          expect((await tryStore(hub, profile([twitter, github]))).status).to.equal(202)
        },
        { proofVerifier },
      )
      expect(asked).to.have.members([
        `twitter https://x.example/1 ${alice.address}`,
        `github https://g.example/1 ${alice.address}`,
      ])
    })

    it('do not count where it does not', () =>
      withProofs(
        2,
        async (hub) => {
          const answer = await tryStore(hub, profile([twitter, github]))
          expect(answer.status).to.equal(402)
          expect(answer.json?.message).to.match(/holds 1 verified/)
        },
        { proofVerifier: async ({ service }) => service === 'github' },
      ))

    it('let nothing through when it fails', () =>
      withProofs(
        1,
        async (hub) => {
          const answer = await tryStore(hub, profile([twitter]))
          expect(answer.status).to.equal(500)
          const { json } = await hub.list({ page: null }, { by: alice })
          expect(json?.entries).to.deep.equal(['profile.json'])
        },
        {
          proofVerifier: async () => {
            throw new Error('no network')
          },
        },
      ))
  })

  it('are 503 where the profile cannot be read', () => {
    const driver = faultyDriver(memoryDriver())
    return withProofs(
      1,
      async (hub) => {
        await hub.store('profile.json', profile([twitter]), { by: alice })
        driver.inject(
          'read',
          () => {
            throw new DriverError('unavailable', 'no answer')
          },
          (key) => key.endsWith('/profile.json'),
        )
        const answer = await hub.store('f', 'x', { by: alice })
        expect(answer.status).to.equal(503)
        expect(answer.headers.get('retry-after')).not.to.equal(null)
      },
      { driver },
    )
  })
})
