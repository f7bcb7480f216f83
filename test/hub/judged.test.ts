import { expect } from 'chai'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { noHubInstruments } from '../../hub/instruments.ts'
import { eventually } from './eventually.ts'
import { faultyDriver } from './faulty-driver.ts'
import { type HubOverrides, startHub, type TestHub } from './harness.ts'
import { alice, mallory } from './people.ts'
import { openRaw, rawHead } from './raw.ts'
import { scopedToken, v1Token } from './tokens.ts'

describe('what is told of credentials', () => {
  let hub: TestHub
  let outcomes: string[]
  const start = async (overrides: HubOverrides = {}) => {
    outcomes = []
    const instruments = { ...noHubInstruments, credential: (outcome: string) => void outcomes.push(outcome) }
    hub = await startHub({ instruments, ...overrides })
  }
  afterEach(() => hub.close())

  const rows: [string, number, (by: TestHub) => Promise<{ status: number }>, string?][] = [
    ['a store', 202, (by) => by.store('a', 'x', { by: alice })],
    ['a list', 202, (by) => by.list({ page: null }, { by: alice })],
    ['a list that asks for no page', 400, (by) => by.list({ page: 7 }, { by: alice })],
    ['a revoke-all', 202, (by) => by.revokeAll(1, { by: alice })],
    ['a store over another version', 412, (by) => by.store('a', 'x', onlyOver('"other"'))],
    ['a delete of another version', 412, (by) => by.delete('a', onlyOver('"other"'))],
    ['a delete of nothing', 404, (by) => by.delete('none', { by: alice })],
    ['a store by a stranger', 401, (by) => by.store('a', 'x', { by: mallory, at: alice }), 'no-grant'],
    ['a store beyond scopes', 401, (by) => by.store('a', 'x', { token: scoped, at: alice }), 'unauthorized'],
  ]
  for (const [name, status, ask, outcome = 'accepted'] of rows) {
    it(`is ${outcome}, once, of ${name}: ${status}`, async () => {
      await start()
      expect((await ask(hub)).status).to.equal(status)
      expect(outcomes).to.deep.equal([outcome])
    })
  }

  it('is accepted, once, of an upload whose client goes away', async () => {
    await start()
    const upload = openRaw(hub.port)
    const headers = { Authorization: `bearer ${v1Token(alice)}`, 'Content-Length': '5' }
    upload.write(rawHead('POST', `/store/${alice.address}/a`, headers))
    upload.write('ab')
    await eventually(async () => {
      expect(outcomes).to.deep.equal(['accepted'])
    })
    upload.reset()
    await eventually(async () => {
      expect(hub.logs.join('')).to.include('"aborted":true')
    })
    expect(outcomes).to.deep.equal(['accepted'])
  })

  it('is nothing where the storage cannot tell', async () => {
    const driver = faultyDriver(memoryDriver())
    await start({ driver })
    driver.inject('read', () => {
      throw new DriverError('unavailable', 'no answer')
    })
    expect((await hub.store('a', 'x', { by: alice })).status).to.equal(503)
    expect(outcomes).to.deep.equal([])
  })
})

const onlyOver = (etag: string) => ({ by: alice, headers: { 'If-Match': etag } })
const scoped = scopedToken(alice, [{ scope: 'putFile', domain: 'b' }])
