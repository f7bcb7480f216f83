import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { memoryDriver } from '../../drivers/memory.ts'
import { fakeClock, startHub, suiteHub, type TestHub } from './harness.ts'
import { alice, bob } from './people.ts'
import { v1Token } from './tokens.ts'

/** In UTF-8 byte order, which is not that of JavaScript's strings. */
const names = [
  ' leading',
  '%41',
  '.hidden',
  'A',
  'a',
  'a b',
  'a-',
  'a/1',
  'a/b/2',
  'a0',
  'b',
  'caf\u00e9',
  'photos/2025/x',
  'photos/2026/x',
  'photos2',
  '\uff5a',
  '😀',
]

async function walk(hub: TestHub, body: object): Promise<{ entries: unknown[]; pages: number }> {
  const entries: unknown[] = []
  let page: string | null = null
  for (let pages = 1; ; pages++) {
    const { status, json } = await hub.list({ page, ...body }, { by: alice })
    expect(status).to.equal(202)
    expect(Object.keys(json ?? {})).to.have.members(['entries', 'page'])
    entries.push(...(json?.entries ?? []))
    page = json?.page ?? null
    if (page === null) return { entries, pages }
    expect(json?.entries).not.to.deep.equal([])
    expect(pages).to.be.below(50)
  }
}

describe('list-files', () => {
  const clock = fakeClock(Date.UTC(2026, 6, 1) + 987)
  const suite = suiteHub(() => ({ clock, driver: memoryDriver({ now: clock }), pageSize: 5 }))
  const list = (body: unknown) => suite.hub.list(body, { by: alice })
  const sendBody = (body: BodyInit, headers: Record<string, string> = {}) =>
    suite.hub.send('POST', `/list-files/${alice.address}`, { by: alice, body, headers })

  before(async () => {
    for (const name of [...names].reverse()) await suite.hub.store(name, name, { by: alice })
    await suite.hub.store('of bob', 'x', { by: bob })
    await suite.hub.revokeAll(0, { by: bob })
  })

  for (const limit of [undefined, 1, 2, 3, names.length - 1, names.length, names.length + 1, 1000]) {
    it(`walks all names once and in order, and ends with null: limit ${limit}`, async () => {
      const { entries, pages } = await walk(suite.hub, { limit })
      expect(entries).to.deep.equal(names)
      expect(pages).to.equal(Math.ceil(names.length / (limit ?? 5)))
    })
  }

  for (const [prefix, expected] of [
    ['', names],
    ['a', names.filter((name) => name.startsWith('a'))],
    ['a/', ['a/1', 'a/b/2']],
    ['photos', ['photos/2025/x', 'photos/2026/x', 'photos2']],
    ['photos/', ['photos/2025/x', 'photos/2026/x']],
    ['photos/20', ['photos/2025/x', 'photos/2026/x']],
    ['caf\u00e9', ['caf\u00e9']],
    ['cafe\u0301', []],
    ['%41', ['%41']],
    ['nothing', []],
    ['..', []],
    ['.', ['.hidden']],
  ] as const) {
    it(`lists what begins with ${JSON.stringify(prefix)}, page by page`, async () => {
      expect((await walk(suite.hub, { prefix, limit: 2 })).entries).to.deep.equal(expected)
    })
  }

  it('gives name, time in seconds, length, etag and type with stat, and nothing else', async () => {
    const headers = { 'Content-Type': 'text/plain; charset=latin1' }
    const { json } = await suite.hub.store('a', 'seven b', { by: alice, headers })
    const answer = await list({ page: null, stat: true, prefix: 'a', limit: 1 })
    expect(answer.json?.entries).to.deep.equal([
      {
        name: 'a',
        lastModifiedDate: Math.floor(clock.nowMs / 1000),
        contentLength: 7,
        etag: json?.etag,
        contentType: 'text/plain; charset=latin1',
      },
    ])
  })

  it('walks all names with stat too', async () => {
    const { entries } = await walk(suite.hub, { stat: true, limit: 4 })
    expect(entries.map((entry) => (entry as { name: string }).name)).to.deep.equal(names)
  })

  for (const body of [
    {},
    { page: null },
    { page: null, stat: false },
    { page: null, stat: null, prefix: null, limit: null },
    { page: null, unknown: 1 },
  ]) {
    it(`takes ${JSON.stringify(body)} for the first page of names`, async () => {
      const answer = await list(body)
      expect(answer.status).to.equal(202)
      expect(answer.headers.get('content-type')).to.equal('application/json')
      expect(answer.json?.entries).to.deep.equal(names.slice(0, 5))
    })
  }

  it('takes no body at all for the first page', async () => {
    const answer = await suite.hub.send('POST', `/list-files/${alice.address}/`, { by: alice })
    expect(answer.status).to.equal(202)
    expect(answer.json?.entries).to.have.length(5)
  })

  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8']) {
    it(`takes JSON under ${type}, as old clients send it`, async () => {
      expect((await sendBody('{"page":null}', { 'Content-Type': type })).status).to.equal(202)
    })
  }

  for (const [member, values] of Object.entries({
    page: ['', 'nonsense', 1, true, {}, [], 'x'.repeat(4097), '../..', 'bm9uc2Vuc2U'],
    stat: [1, 'true', {}, []],
    prefix: [
      1,
      true,
      {},
      ['a'],
      '/',
      '/a',
      'a//b',
      '../',
      'a/../b',
      './a',
      'a\u0000',
      'a\\b',
      'x'.repeat(1025),
      '\ud800',
    ],
    limit: [0, -1, 1.5, 1001, '5', true, {}, [5], 1e300],
  })) {
    for (const value of values) {
      it(`is 400 for ${member} ${JSON.stringify(value).slice(0, 30)}`, async () => {
        const answer = await list({ page: null, [member]: value })
        expect(answer.status).to.equal(400)
        expect(answer.json?.error).to.equal('InvalidInputError')
        expect(answer.headers.get('content-type')).to.equal('application/json')
        expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
      })
    }
  }

  for (const body of ['{', '[]', '"x"', '1', 'null', 'true', '{"page":null', '\u0000', '{"page":null}}']) {
    it(`is 400 JSON for a body of ${JSON.stringify(body)}`, async () => {
      const answer = await sendBody(body)
      expect(answer.status).to.equal(400)
      expect(answer.json?.error).to.equal('InvalidInputError')
      expect(answer.headers.get('content-type')).to.equal('application/json')
    })
  }

  it('does not repeat in its refusal what the body held', async () => {
    const answer = await sendBody('{"page": secret-of-the-body}')
    expect(answer.status).to.equal(400)
    expect(answer.body.toString()).not.to.include('secret')
  })

  it('is 413 for a body of more than 64 KiB', async () => {
    const answer = await sendBody(JSON.stringify({ page: null, padding: 'x'.repeat(64 * 1024) }))
    expect(answer.status).to.equal(413)
    expect(answer.json?.error).to.equal('PayloadTooLargeError')
  })

  it('does not inflate a body', async () => {
    const answer = await sendBody(gzipSync('{"page":null}'), { 'Content-Encoding': 'gzip' })
    expect(answer.status).to.equal(400)
    expect(answer.json?.error).to.equal('InvalidInputError')
  })

  it('refuses a page of another listing', async () => {
    const { json } = await list({ page: null, prefix: 'a', limit: 1 })
    expect((await list({ page: json?.page, prefix: 'photos' })).status).to.equal(400)
    const token = v1Token(bob, { iat: clock.seconds() })
    const answer = await suite.hub.list({ page: json?.page }, { at: bob, token })
    expect(answer.status).to.equal(400)
  })

  it('lists each owner its own files, and no record of the hub', async () => {
    const token = v1Token(bob, { iat: clock.seconds() })
    const { json } = await suite.hub.list({ page: null }, { at: bob, token })
    expect(json?.entries).to.deep.equal(['of bob'])
  })
})

describe('a walk through list-files', () => {
  const suite = suiteHub()

  it('shows what is there all the time exactly once while files come and go', async () => {
    const stay = Array.from({ length: 12 }, (_, i) => `stay-${String(i).padStart(2, '0')}`)
    for (const name of stay) await suite.hub.store(name, 'x', { by: alice })
    const seen: unknown[] = []
    let page: string | null = null
    let round = 0
    do {
      const { json } = await suite.hub.list({ page, limit: 3 }, { by: alice })
      seen.push(...(json?.entries ?? []))
      page = json?.page ?? null
      // The last name of the page goes, so that the position is one that is no longer there.
      const last = String(json?.entries?.at(-1))
      if (last.startsWith('come')) await suite.hub.delete(last, { by: alice })
      for (const name of [`come-${round}`, `stay-0${round}-come`, `stay-1${round}-come`]) {
        await suite.hub.store(name, 'x', { by: alice })
      }
      round += 1
    } while (page !== null)
    expect(seen.filter((name) => stay.includes(String(name)))).to.deep.equal(stay)
    expect(new Set(seen).size).to.equal(seen.length)
  })

  it('goes on where the last name of a page was deleted', async () => {
    for (const name of ['gone-1', 'gone-2', 'gone-3']) await suite.hub.store(name, 'x', { by: bob })
    const first = await suite.hub.list({ page: null, limit: 2 }, { by: bob })
    await suite.hub.delete('gone-2', { by: bob })
    const second = await suite.hub.list({ page: first.json?.page, limit: 2 }, { by: bob })
    expect(second.json).to.deep.equal({ entries: ['gone-3'], page: null })
  })

  it('goes on at another hub over the same storage', async () => {
    const other = await startHub({ driver: suite.hub.driver })
    const first = await suite.hub.list({ page: null, limit: 2, prefix: 'stay' }, { by: alice })
    const second = await other.list({ page: first.json?.page, limit: 2, prefix: 'stay' }, { by: alice })
    await other.close()
    expect(second.status).to.equal(202)
    expect(first.json?.entries).to.not.include.members(second.json?.entries ?? [])
  })
})
