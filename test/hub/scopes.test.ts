import { expect } from 'chai'
import { fakeClock, startHub, type TestHub } from './harness.ts'
import { alice } from './people.ts'
import { scopedToken, v1Token } from './tokens.ts'

const clock = fakeClock()

describe('scopes', () => {
  let hub: TestHub
  before(async () => {
    hub = await startHub({ clock })
  })
  after(() => hub.close())

  /** Relative to the domain `docs/a` of a scope. */
  const paths = { exact: 'docs/a', longer: 'docs/ab', shorter: 'docs/', other: 'docs/b' } as const
  type Relation = keyof typeof paths

  /** What each scope allows; everything that is not named is 401. */
  const allowed: Record<string, { store?: Relation[]; delete?: Relation[] }> = {
    putFile: { store: ['exact'] },
    putFilePrefix: { store: ['exact', 'longer'] },
    deleteFile: { delete: ['exact'] },
    deleteFilePrefix: { delete: ['exact', 'longer'] },
    putFileArchival: { store: ['exact'], delete: ['exact'] },
    putFileArchivalPrefix: { store: ['exact', 'longer'], delete: ['exact', 'longer'] },
  }

  for (const [scope, may] of Object.entries(allowed)) {
    describe(`${scope} docs/a`, () => {
      const token = scopedToken(alice, [{ scope, domain: 'docs/a' }])

      for (const operation of ['store', 'delete'] as const) {
        for (const relation of Object.keys(paths) as Relation[]) {
          const path = paths[relation]
          const status = may[operation]?.includes(relation) ? 202 : 401
          it(`${status === 202 ? 'allows' : 'refuses'} to ${operation} ${path}`, async () => {
            await hub.store(path, 'there', { by: alice })
            const answer =
              operation === 'store'
                ? await hub.store(path, 'new', { at: alice, token })
                : await hub.delete(path, { at: alice, token })
            expect(answer.status).to.equal(status)
            if (status === 401) expect(answer.json?.error).to.equal('ValidationError')
          })
        }
      }

      it('allows to list', async () => {
        expect((await hub.list({ page: null }, { at: alice, token })).status).to.equal(202)
      })

      it('refuses to revoke all', async () => {
        const answer = await hub.revokeAll(0, { at: alice, token })
        expect(answer.status).to.equal(401)
        expect(answer.json?.error).to.equal('ValidationError')
        expect((await hub.store('still/mine', 'x', { by: alice })).status).to.equal(202)
      })
    })
  }

  describe('of several entries', () => {
    it('allow what any of them names, and no mixture', async () => {
      const token = scopedToken(alice, [
        { scope: 'putFile', domain: 'a' },
        { scope: 'deleteFile', domain: 'b' },
      ])
      await hub.store('b', 'x', { by: alice })
      expect((await hub.store('a', 'x', { at: alice, token })).status).to.equal(202)
      expect((await hub.delete('a', { at: alice, token })).status).to.equal(401)
      expect((await hub.store('b', 'x', { at: alice, token })).status).to.equal(401)
      expect((await hub.delete('b', { at: alice, token })).status).to.equal(202)
    })

    for (const [count, status] of [
      [8, 202],
      [9, 401],
    ] as const) {
      it(`are ${status} where there are ${count}`, async () => {
        const token = scopedToken(alice, Array(count).fill({ scope: 'putFile', domain: 'f' }))
        expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(status)
      })
    }
  })

  describe('with an empty domain', () => {
    for (const [scope, status] of [
      ['putFilePrefix', 202],
      ['putFileArchivalPrefix', 202],
      ['putFile', 401],
      ['putFileArchival', 401],
    ] as const) {
      it(`are ${status} for a store anywhere: ${scope}`, async () => {
        const token = scopedToken(alice, [{ scope, domain: '' }])
        expect((await hub.store('any/where', 'x', { at: alice, token })).status).to.equal(status)
      })
    }
  })

  describe('that name nothing', () => {
    it('allow no write, but listing', async () => {
      const token = scopedToken(alice, [])
      expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(401)
      expect((await hub.delete('f', { at: alice, token })).status).to.equal(401)
      expect((await hub.revokeAll(0, { at: alice, token })).status).to.equal(401)
      expect((await hub.list({ page: null }, { at: alice, token })).status).to.equal(202)
    })
  })

  describe('compare decoded names byte for byte', () => {
    for (const [domain, path, status] of [
      ['a b', 'a b', 202],
      ['a%20b', 'a b', 401],
      ['a%20b', 'a%20b', 202],
      ['caf\u00e9', 'caf\u00e9', 202],
      ['caf\u00e9', 'cafe\u0301', 401],
      ['f', 'F', 401],
      ['f/', 'f', 401],
      ['/f', 'f', 401],
      ['*', 'f', 401],
      ['*', '*', 202],
    ] as const) {
      it(`${JSON.stringify(domain)} against ${JSON.stringify(path)} is ${status}`, async () => {
        const token = scopedToken(alice, [{ scope: 'putFile', domain }])
        expect((await hub.store(path, 'x', { at: alice, token })).status).to.equal(status)
      })
    }

    it('a trailing slash in the URL does not escape them', async () => {
      const token = scopedToken(alice, [{ scope: 'putFile', domain: 'f/' }])
      const answer = await hub.send('POST', `/store/${alice.address}/f/`, { token, body: 'x' })
      expect(answer.status).to.equal(401)
    })
  })

  describe('that are malformed', () => {
    for (const scopes of [
      {},
      'putFile',
      1,
      true,
      [null],
      ['putFile'],
      [{}],
      [{ scope: 'putFile' }],
      [{ scope: 'putFile', domain: null }],
      [{ scope: 'putFile', domain: 1 }],
      [{ scope: 'putFile', domain: ['f'] }],
      [{ domain: 'f' }],
      [{ scope: 'putfile', domain: 'f' }],
      [{ scope: 'admin', domain: 'f' }],
      [{ scope: '__proto__', domain: 'f' }],
      [{ scope: 'constructor', domain: 'f' }],
      [{ scope: ['putFile'], domain: 'f' }],
      [
        { scope: 'putFile', domain: 'f' },
        { scope: 'nonsense', domain: 'f' },
      ],
      [[{ scope: 'putFile', domain: 'f' }]],
    ]) {
      it(`are refused, for listing too: ${JSON.stringify(scopes)}`, async () => {
        const token = v1Token(alice, { scopes })
        for (const answer of [
          await hub.store('f', 'x', { at: alice, token }),
          await hub.list({ page: null }, { at: alice, token }),
        ]) {
          expect(answer.status).to.equal(401)
          expect(answer.json?.error).to.equal('ValidationError')
        }
      })
    }
  })

  it('say nothing where they are null: the token may do all', async () => {
    const token = v1Token(alice, { scopes: null })
    expect((await hub.store('f', 'x', { at: alice, token })).status).to.equal(202)
    expect((await hub.delete('f', { at: alice, token })).status).to.equal(202)
  })
})
