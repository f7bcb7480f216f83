import { expect } from 'chai'
import type { Answer } from '../hub/harness.ts'
import { at, can } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'
import { asOwner, bob, carol, delegate, invoke, newOwner, v1 } from './people.ts'
import { expectRefused, expectStatus, suiteWorld, type World } from './world.ts'

const suite = suiteWorld()

type Held = 'gaia/store' | 'gaia/archive' | 'gaia/delete' | 'gaia/list' | 'gaia/grant' | 'gaia/*' | '*'
type Operation = 'store' | 'delete' | 'list' | 'grant'

/** What each ability lets a writer do. */
const allows: Record<Held, readonly Operation[]> = {
  'gaia/store': ['store'],
  'gaia/archive': ['store', 'delete'],
  'gaia/delete': ['delete'],
  'gaia/list': ['list'],
  'gaia/grant': ['grant'],
  'gaia/*': ['store', 'delete', 'list'],
  '*': ['store', 'delete', 'list', 'grant'],
}

/** Which abilities each one proves (PROTOCOL 2.1); of gaia/archive from gaia/store only the store. */
const proves: Record<Held, readonly Held[]> = {
  'gaia/store': ['gaia/store', 'gaia/archive'],
  'gaia/archive': ['gaia/archive'],
  'gaia/delete': ['gaia/delete'],
  'gaia/list': ['gaia/list'],
  'gaia/grant': ['gaia/grant'],
  'gaia/*': ['gaia/store', 'gaia/archive', 'gaia/delete', 'gaia/list', 'gaia/*'],
  '*': ['gaia/store', 'gaia/archive', 'gaia/delete', 'gaia/list', 'gaia/grant', 'gaia/*', '*'],
}

const abilities = Object.keys(allows) as Held[]
const operations: Record<Operation, (world: World, owner: Persona, as: string) => Promise<Answer>> = {
  store: (world, owner, as) => world.store(owner, 'photos/a', { as, body: 'new' }),
  delete: (world, owner, as) => world.delete(owner, 'photos/a', { as }),
  list: (world, owner, as) => world.list(owner, { as }),
  grant: (world, owner, as) =>
    world.deposit(owner, { ucan: delegate(owner, carol, [can(owner, 'photos/x/', 'gaia/store')]) }, { as }),
}
const successes: Record<Operation, number> = { store: 202, delete: 202, list: 202, grant: 201 }

describe('an ability', () => {
  for (const held of abilities) {
    for (const claimed of abilities) {
      const isProven = proves[held].includes(claimed)
      const isStoreOnly = held === 'gaia/store' && claimed === 'gaia/archive'
      const expected = !isProven ? [] : isStoreOnly ? ['store'] : allows[claimed]
      it(`${held}, used as ${claimed}, allows ${expected.join(', ') || 'nothing'}`, async () => {
        const { world } = suite
        for (const [name, run] of Object.entries(operations) as Array<[Operation, typeof operations.store]>) {
          const owner = newOwner()
          await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'old' })
          const before = await world.snapshot(owner)
          const proof = delegate(owner, bob, [can(owner, 'photos/', held)])
          const as = invoke(bob, [can(owner, 'photos/', claimed)], { proofs: [proof] })
          const answer = await run(world, owner, as)
          if (expected.includes(name)) {
            expectStatus(answer, successes[name])
          } else {
            expectRefused(answer, { code: 'not-covered', link: 0 })
            expect(await world.snapshot(owner)).to.deep.equal(before)
          }
        }
      })
    }
  }

  it('that is all there is never lets a writer revoke all', async () => {
    const owner = newOwner()
    const proof = delegate(owner, bob, [can(owner, '', '*')])
    const as = invoke(bob, [can(owner, '', '*')], { proofs: [proof] })
    expectRefused(await suite.world.revokeAll(owner, 1, { as }), { code: 'not-covered' })
    expect(await suite.world.snapshot(owner)).to.deep.equal([])
  })

  for (const can of ['gaia/Store', 'GAIA/STORE']) {
    it(`does not depend on case: ${can}`, async () => {
      const owner = newOwner()
      const as = invoke(owner, [{ with: at(owner, 'photos/'), can }])
      expectStatus(await suite.world.store(owner, 'photos/a', { as }), 202)
    })
  }

  for (const ability of ['gaia/write', 'gaia/stor', 'gaia/store/x', 'crud/*', 'gaia/**']) {
    it(`that is none of Gaia's allows nothing: ${ability}`, async () => {
      const owner = newOwner()
      const as = invoke(owner, [can(owner, '', ability)])
      expectRefused(await suite.world.store(owner, 'a', { as }), { code: 'not-covered', link: 0 })
    })
  }

  for (const [ability, claim] of [
    ['gaia', 'att[0].can'],
    ['', 'att[0].can'],
    ['gaia/', 'att[0].can'],
    ['gaia/st ore', 'att[0].can'],
  ] as const) {
    it(`in no form of an ability refuses the token: "${ability}"`, async () => {
      const owner = newOwner()
      const as = invoke(owner, [can(owner, '', '*')], { payload: { att: [can(owner, '', ability)] } })
      expectRefused(await suite.world.store(owner, 'a', { as }), { code: 'malformed', link: 0, claim })
    })
  }
})

/** A writer who holds one capability of an owner, and does what it likes with it. */
function writer(ability: string, nb?: Record<string, unknown>, path = 'photos/') {
  const owner = newOwner()
  const held = [can(owner, path, ability, nb)]
  const as = invoke(bob, held, { proofs: [delegate(owner, bob, held)] })
  return { owner, as }
}

async function historyOf(world: World, owner: Persona): Promise<string[]> {
  const names = (await world.snapshot(owner)).map((line) => line.split(' ')[0] ?? '')
  return names.filter((name) => /\/photos\/\.history\.\d+\.[a-zA-Z0-9]{10}\.a$/.test(name))
}

describe('an archive writer', () => {
  it('keeps each former version, and moves what it deletes', async () => {
    const { world } = suite
    const { owner, as } = writer('gaia/archive')
    for (const body of ['one', 'two', 'three']) {
      expectStatus(await world.store(owner, 'photos/a', { as, body }), 202)
    }
    expect(await historyOf(world, owner)).to.have.length(2)
    expectStatus(await world.delete(owner, 'photos/a', { as }), 202)
    expect(await world.content(owner, 'photos/a')).to.equal(null)
    expect(await historyOf(world, owner)).to.have.length(3)
  })

  it('keeps them also where gaia/store was passed on as gaia/archive, and deletes nothing then', async () => {
    const { world } = suite
    const owner = newOwner()
    const proof = delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')])
    const as = invoke(bob, [can(owner, 'photos/', 'gaia/archive')], { proofs: [proof] })
    await world.store(owner, 'photos/a', { as, body: 'one' })
    await world.store(owner, 'photos/a', { as, body: 'two' })
    expect(await historyOf(world, owner)).to.have.length(1)
    expectRefused(await world.delete(owner, 'photos/a', { as }), {
      code: 'not-covered',
      link: 0,
      claim: 'can',
    })
    expect(await world.content(owner, 'photos/a')).to.equal('two')
  })

  for (const name of ['photos/.history.1.abcdefghij.a', 'photos/.history.', 'photos/x/.history.y']) {
    it(`touches no history: ${name}`, async () => {
      const { world } = suite
      const { owner, as } = writer('gaia/archive')
      await world.store(owner, name, { as: asOwner(owner), body: 'kept' })
      expectRefused(await world.store(owner, name, { as, body: 'gone' }), { code: 'not-covered', link: 0 })
      expectRefused(await world.delete(owner, name, { as }), { code: 'not-covered', link: 0 })
      expect(await world.content(owner, name)).to.equal('kept')
    })
  }

  it('may write to names that only look alike', async () => {
    const { owner, as } = writer('gaia/archive')
    for (const name of ['photos/history.a', 'photos/.historya', 'photos/.History.a', 'photos/.history./a']) {
      expectStatus(await suite.world.store(owner, name, { as }), 202)
    }
  })

  it('writes plainly where another capability covers the store', async () => {
    const { world } = suite
    const owner = newOwner()
    const held = [can(owner, 'photos/', 'gaia/archive'), can(owner, 'photos/', 'gaia/store')]
    const as = invoke(bob, held, { proofs: [delegate(owner, bob, held)] })
    await world.store(owner, 'photos/a', { as })
    await world.store(owner, 'photos/a', { as })
    expect(await historyOf(world, owner)).to.deep.equal([])
  })
})

describe('maxSize', () => {
  const rows: Array<[maxSize: number, bytes: number, allowed: boolean]> = [
    [10, 0, true],
    [10, 10, true],
    [10, 11, false],
    [0, 0, true],
    [0, 1, false],
    [70_000, 70_000, true],
    [70_000, 70_001, false],
  ]
  for (const [maxSize, bytes, allowed] of rows) {
    for (const how of ['declared', 'streamed'] as const) {
      it(`${maxSize} ${allowed ? 'allows' : 'refuses'} ${bytes} bytes, ${how}`, async () => {
        const { world } = suite
        const { owner, as } = writer('gaia/store', { maxSize })
        await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'old' })
        const body = 'x'.repeat(bytes)
        const answer =
          how === 'declared'
            ? await world.store(owner, 'photos/a', { as, body })
            : await streamed(world, owner, as, body)
        if (allowed) expectStatus(answer, 202)
        else expectRefused(answer, { code: 'not-covered' })
        expect(await world.content(owner, 'photos/a')).to.equal(allowed ? body : 'old')
      })
    }
  }

  it('beyond what the hub takes leaves the bound of the hub', async () => {
    const { world } = suite
    const { owner, as } = writer('gaia/store', { maxSize: 10_000_000 })
    const body = 'x'.repeat(1_048_577)
    expectStatus(await world.store(owner, 'photos/a', { as, body }), 413, 'PayloadTooLargeError')
    expectStatus(await streamed(world, owner, as, body), 413, 'PayloadTooLargeError')
  })

  it('binds stores only', async () => {
    const { world } = suite
    const { owner, as } = writer('gaia/*', { maxSize: 1 })
    await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'long' })
    expectStatus(await world.list(owner, { as }), 202)
    expectStatus(await world.delete(owner, 'photos/a', { as }), 202)
  })

  for (const maxSize of [-1, 1.5, '10', null, 2 ** 53]) {
    it(`refuses the token where it is ${JSON.stringify(maxSize)}`, async () => {
      const { owner, as } = writer('gaia/store', { maxSize })
      expectRefused(await suite.world.store(owner, 'photos/a', { as }), { code: 'malformed' })
    })
  }
})

/** Sent in chunks, without a Content-Length. */
function streamed(world: World, owner: Persona, as: string, body: string): Promise<Answer> {
  const bytes = new TextEncoder().encode(body)
  const stream = new ReadableStream({
    start(controller) {
      for (let i = 0; i < bytes.length; i += 16_384) controller.enqueue(bytes.slice(i, i + 16_384))
      controller.close()
    },
  })
  return sendStream(world, `/store/${owner.address}/photos/a`, as, stream)
}

async function sendStream(world: World, target: string, as: string, body: ReadableStream): Promise<Answer> {
  const init = { method: 'POST', headers: { Authorization: `Bearer ${as}` }, body, duplex: 'half' as const }
  const response = await fetch(world.hub.url + target, init)
  const bytes = Buffer.from(await response.arrayBuffer())
  return {
    status: response.status,
    headers: response.headers,
    body: bytes,
    json: JSON.parse(bytes.toString()) as Record<string, unknown>,
  }
}

describe('contentType', () => {
  const rows: Array<[allowed: string[], sent: string | undefined, allows: boolean]> = [
    [['image/png'], 'image/png', true],
    [['image/png'], 'IMAGE/PNG', true],
    [['Image/PNG'], 'image/png', true],
    [['image/png; q=1'], 'image/png', true],
    [['text/plain'], 'text/plain; charset=utf-8', true],
    [['text/plain'], 'text/plain;charset="a,b;c"', true],
    [['text/plain'], '  text/plain ; charset=utf-8', true],
    [['image/*'], 'image/png', true],
    [['image/*'], 'image/svg+xml; x=y', true],
    [['image/*', 'text/plain'], 'text/plain', true],
    [['application/octet-stream'], undefined, true],
    [['image/png'], undefined, false],
    [['image/png'], 'image/jpeg', false],
    [['image/png'], 'image/pngx', false],
    [['image/*'], 'imagex/png', false],
    [['image/*'], 'image', false],
    [['image/*'], 'image/', false],
    [['image/*'], 'text/html', false],
    // Where a browser is handed a list of types, the last one counts.
    [['image/*'], 'image/png, text/html', false],
    [['image/*'], 'image/png;x=y, text/html', false],
    [['image/png'], 'image/png;, text/html', false],
    [['image/*'], 'image/png/text/html', false],
    [['image/*'], 'image/png text/html', false],
    [['image/png'], 'image/png; x="y', false],
  ]
  for (const [allowed, sent, allows] of rows) {
    it(`${JSON.stringify(allowed)} ${allows ? 'allows' : 'refuses'} ${JSON.stringify(sent) ?? 'none'}`, async () => {
      const { world } = suite
      const { owner, as } = writer('gaia/store', { contentType: allowed })
      // A text body would bring a type of its own.
      const body = new TextEncoder().encode('x')
      const headers = sent === undefined ? {} : { 'Content-Type': sent }
      const answer = await world.store(owner, 'photos/a', { as, body, headers })
      if (allows) expectStatus(answer, 202)
      else expectRefused(answer, { code: 'not-covered' })
      expect(await world.content(owner, 'photos/a')).to.equal(allows ? 'x' : null)
    })
  }

  for (const contentType of [
    [],
    ['*/*'],
    ['*'],
    ['image'],
    ['image/p*'],
    'image/png',
    [1],
    ['image/png,text/html'],
    null,
  ]) {
    it(`refuses the token where it is ${JSON.stringify(contentType)}`, async () => {
      const { owner, as } = writer('gaia/store', { contentType })
      expectRefused(await suite.world.store(owner, 'photos/a', { as }), { code: 'malformed' })
    })
  }
})

describe('createOnly', () => {
  const rows: Array<{ name: string; exists: boolean; headers?: Record<string, string>; status: number }> = [
    { name: 'a new file', exists: false, status: 202 },
    {
      name: 'a new file with If-None-Match: *',
      exists: false,
      headers: { 'If-None-Match': '*' },
      status: 202,
    },
    { name: 'a new file with If-Match: *', exists: false, headers: { 'If-Match': '*' }, status: 202 },
    { name: 'an overwrite', exists: true, status: 403 },
    { name: 'an overwrite with If-Match: *', exists: true, headers: { 'If-Match': '*' }, status: 403 },
    { name: 'an overwrite with an etag', exists: true, headers: { 'If-Match': 'current' }, status: 403 },
    {
      name: 'If-None-Match: * where a file is',
      exists: true,
      headers: { 'If-None-Match': '*' },
      status: 412,
    },
  ]
  for (const ability of ['gaia/store', 'gaia/*', '*']) {
    for (const { name, exists, headers = {}, status } of rows) {
      it(`of ${ability} answers ${status} to ${name}`, async () => {
        const { world } = suite
        const { owner, as } = writer(ability, { createOnly: true })
        if (exists) {
          const { json } = await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'old' })
          if (headers['If-Match'] === 'current') headers['If-Match'] = String(json?.etag)
        }
        const answer = await world.store(owner, 'photos/a', { as, headers, body: 'new' })
        if (status === 403) expectRefused(answer, { code: 'not-covered' })
        else expectStatus(answer, status, status === 412 ? 'PreconditionFailedError' : undefined)
        expect(await world.content(owner, 'photos/a')).to.equal(exists ? 'old' : 'new')
      })
    }
  }

  for (const ability of ['gaia/delete', 'gaia/archive', 'gaia/*', '*']) {
    it(`of ${ability} allows no delete`, async () => {
      const { world } = suite
      const { owner, as } = writer(ability, { createOnly: true })
      await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'old' })
      expectRefused(await world.delete(owner, 'photos/a', { as }), { code: 'not-covered' })
      expect(await world.content(owner, 'photos/a')).to.equal('old')
    })
  }

  it('of gaia/archive allows nothing at all', async () => {
    const { owner, as } = writer('gaia/archive', { createOnly: true })
    expectRefused(await suite.world.store(owner, 'photos/new', { as }), { code: 'not-covered' })
  })

  it('lets one of many creates at one path win', async () => {
    const { world } = suite
    const { owner, as } = writer('gaia/store', { createOnly: true })
    const answers = await Promise.all(Array.from({ length: 8 }, () => world.store(owner, 'photos/a', { as })))
    expect(answers.filter(({ status }) => status === 202)).to.have.length(1)
    for (const { status } of answers) expect(status).to.be.oneOf([202, 403, 409])
  })

  for (const [held, claimed] of [
    ['gaia/store', 'gaia/archive'],
    ['gaia/*', 'gaia/archive'],
  ] as const) {
    it(`of a grant of ${held} is not escaped by asking for ${claimed}`, async () => {
      const { world } = suite
      const owner = newOwner()
      const ucan = delegate(owner, bob, [can(owner, 'photos/', held, { createOnly: true })])
      await world.deposit(owner, { ucan }, { as: asOwner(owner) })
      await world.store(owner, 'photos/a', { as: asOwner(owner), body: 'old' })
      const before = await world.snapshot(owner)
      const credentials = [
        invoke(bob, [can(owner, 'photos/', claimed)]),
        v1(bob, { scopes: [{ scope: 'putFileArchivalPrefix', domain: 'photos/' }] }),
      ]
      for (const as of credentials) {
        expectRefused(await world.store(owner, 'photos/a', { as, body: 'new' }), { code: 'not-covered' })
        expectRefused(await world.delete(owner, 'photos/a', { as }), { code: 'not-covered' })
        expect(await world.snapshot(owner)).to.deep.equal(before)
        expect(await world.content(owner, 'photos/a')).to.equal('old')
      }
    })
  }

  it('refuses the token where it is anything but true', async () => {
    for (const createOnly of [false, 1, 'true', null]) {
      const { owner, as } = writer('gaia/store', { createOnly })
      expectRefused(await suite.world.store(owner, 'photos/a', { as }), { code: 'malformed' })
    }
  })
})

describe('caveats', () => {
  it('that are not known refuse the token, wherever in it they stand', async () => {
    const { owner, as } = writer('gaia/store', { maxFiles: 1 })
    expectRefused(await suite.world.store(owner, 'photos/a', { as }), {
      code: 'malformed',
      claim: 'att[0].nb',
    })
    const own = newOwner()
    const also = invoke(own, [can(own, '', '*'), can(own, 'x/', 'gaia/list', { depth: 1 })])
    expectRefused(await suite.world.store(own, 'a', { as: also }), {
      code: 'malformed',
      link: 0,
      claim: 'att[1].nb',
    })
  })

  it('are none that gaia/grant takes', async () => {
    const { owner, as } = writer('gaia/grant', { maxSize: 1 })
    expectRefused(await suite.world.list(owner, { as }), { code: 'malformed' })
  })

  it('of alternatives in cap are each enough on their own', async () => {
    const { world } = suite
    const owner = newOwner()
    const alternatives = [
      { maxSize: 2, contentType: ['text/plain'] },
      { maxSize: 4, contentType: ['image/*'] },
    ]
    const cap = { [at(owner, 'photos/')]: { 'gaia/store': alternatives } }
    const proof = delegate(owner, bob, [], { version: '0.10.0', payload: { cap } })
    const as = invoke(bob, [], { version: '0.10.0', payload: { cap }, proofs: [proof] })
    for (const [contentType, body, status] of [
      ['text/plain', 'ab', 202],
      ['text/plain', 'abc', 403],
      ['image/png', 'abcd', 202],
      ['image/png', 'abcde', 403],
      ['text/html', 'a', 403],
    ] as const) {
      const headers = { 'Content-Type': contentType }
      expectStatus(await world.store(owner, 'photos/a', { as, ucans: [proof], headers, body }), status)
    }
  })
})

describe('the path of a capability', () => {
  const rows: Array<[held: string, path: string, covered: boolean]> = [
    ['photos/', 'photos/a', true],
    ['photos/', 'photos/a/b/c', true],
    ['photos/', 'photosx', false],
    ['photos/', 'photosx/a', false],
    ['photos/', 'photos', false],
    ['photos/', 'Photos/a', false],
    ['photos/', 'x/photos/a', false],
    ['photos', 'photos', true],
    ['photos', 'photos/a', false],
    ['photos', 'photosx', false],
    ['', 'anything/at all', true],
    ['a b/', 'a b/c', true],
    ['a+b/', 'a b/c', false],
    ['ä/', 'ä/x', true],
    ['a\u0308/', 'ä/x', false],
    ['日本/', '日本/語', true],
    ['😀/', '😀/😀', true],
    ['#?&=/', '#?&=/;:@', true],
    ['a..b/', 'a..b/...', true],
    ['*/', 'a/b', false],
    ['photos/*', 'photos/a', false],
    ['photos/*', 'photos/*', true],
    ['~!$\'()[]{}|^`"<>/', '~!$\'()[]{}|^`"<>/x', true],
  ]
  for (const [held, path, covered] of rows) {
    it(`"${held}" ${covered ? 'covers' : 'does not cover'} "${path}"`, async () => {
      const { world } = suite
      const { owner, as } = writer('gaia/store', undefined, held)
      const answer = await world.store(owner, path, { as })
      if (covered) expectStatus(answer, 202)
      else expectRefused(answer, { code: 'not-covered', link: 0 })
      expect(await world.content(owner, path)).to.equal(covered ? 'x' : null)
    })
  }

  for (const target of ['photos/%61', '%70hotos/a', 'photos%2Fa', 'photos/a/']) {
    it(`is compared with the decoded name: ${target}`, async () => {
      const { world } = suite
      const { owner, as } = writer('gaia/store')
      expectStatus(await world.send('POST', `/store/${owner.address}/${target}`, { as, body: 'x' }), 202)
      expect(await world.content(owner, 'photos/a')).to.equal('x')
    })
  }

  for (const target of [
    'photos%252Fa',
    'photos%2578',
    'photos%00/a',
    'photos/..%2Fsecret',
    'photos/%2e%2e/secret',
  ]) {
    it(`is not got around by encoding: ${target}`, async () => {
      const { world } = suite
      const { owner, as } = writer('gaia/store')
      const answer = await world.send('POST', `/store/${owner.address}/${target}`, { as, body: 'x' })
      expectStatus(answer, 403)
      expect(answer.json?.error).to.be.oneOf(['BadPathError', 'NotAuthorizedError'])
      expect(await world.snapshot(owner)).to.deep.equal([])
    })
  }

  for (const path of [
    'a//b',
    '../x',
    './x',
    'a/../b',
    'a\\b',
    'a\u0000',
    'a\n',
    '/a',
    'a//',
    '%61',
    '.gaia-metadata/x',
    'x'.repeat(1025),
  ]) {
    it(`refuses the token where it breaks the rules: ${JSON.stringify(path).slice(0, 30)}`, async () => {
      const owner = newOwner()
      const as = invoke(owner, [can(owner, '', '*'), can(owner, path, 'gaia/list')])
      expectRefused(await suite.world.store(owner, 'a', { as }), {
        code: 'malformed',
        link: 0,
        claim: 'att[1].with',
      })
    })
  }
})

describe('listing with gaia/list', () => {
  const names = ['a', 'photos/1', 'photos/2', 'photosx', 'z/1']
  const rows: Array<[held: string[], seen: string[]]> = [
    [['photos/'], ['photos/1', 'photos/2']],
    [['photos/2'], ['photos/2']],
    [
      ['photos/', 'a'],
      ['a', 'photos/1', 'photos/2'],
    ],
    [[''], names],
    [['nothing/'], []],
  ]
  for (const [held, seen] of rows) {
    it(`on ${JSON.stringify(held)} shows ${seen.join(', ') || 'nothing'}`, async () => {
      const { world } = suite
      const owner = newOwner()
      for (const name of names) await world.store(owner, name, { as: asOwner(owner) })
      const capabilities = held.map((path) => can(owner, path, 'gaia/list'))
      const as = invoke(bob, capabilities, { proofs: [delegate(owner, bob, capabilities)] })
      expect((await world.list(owner, { as })).json).to.deep.equal({ entries: seen, page: null })
      expect((await world.list(owner, { as }, { stat: true })).json?.entries).to.have.length(seen.length)
    })
  }

  /** The pages of a holder of these paths, each with the name of the next one. */
  async function pagesOf(stored: readonly string[], held: readonly string[], body: Record<string, unknown>) {
    const { world } = suite
    const owner = newOwner()
    for (const name of stored) await world.store(owner, name, { as: asOwner(owner) })
    const capabilities = held.map((path) => can(owner, path, 'gaia/list'))
    const as = invoke(bob, capabilities, { proofs: [delegate(owner, bob, capabilities)] })
    const pages: Array<{ entries: unknown; page: string | null }> = []
    let page: string | null = null
    do {
      const { json }: Answer = await world.list(owner, { as }, { ...body, page })
      page = json?.page ?? null
      pages.push({ entries: json?.entries, page })
    } while (page !== null)
    return { owner, as, pages }
  }

  for (const limit of [1, 2, 3]) {
    it(`goes from path to path by pages of ${limit}, and no page tells of a name beside them`, async () => {
      const { pages } = await pagesOf(names, ['z/', 'photos/', 'nothing/', 'a'], { limit })
      expect(pages.flatMap(({ entries }) => entries).filter((name) => name !== null)).to.deep.equal([
        'a',
        'photos/1',
        'photos/2',
        'z/1',
      ])
      const told = pages.map(({ page }) =>
        page?.split(/[~.]/).map((part) => atob(part.replaceAll('-', '+').replaceAll('_', '/'))),
      )
      expect(JSON.stringify(told)).not.to.include('photosx')
    })
  }

  it('tells by no page whether anything is beside its paths', async () => {
    for (const stored of [names, ['z/1']]) {
      const { pages } = await pagesOf(stored, ['z/'], { limit: 1 })
      expect(pages).to.deep.equal([{ entries: ['z/1'], page: null }])
      const beside = await pagesOf(stored, ['z/'], { limit: 1, prefix: 'photos' })
      expect(beside.pages).to.deep.equal([{ entries: [], page: null }])
    }
  })

  it('holds one null on a page that would be empty where more follow', async () => {
    const empty = Array.from({ length: 16 }, (_, i) => `nothing${i}/`)
    const { pages } = await pagesOf(names, [...empty, 'z/'], {})
    expect(pages.map(({ entries }) => entries)).to.deep.equal([[null], ['z/1']])
  })

  it('takes no page of another listing', async () => {
    const { world } = suite
    const { owner, as } = await pagesOf(names, ['photos/', 'z/'], {})
    const { json } = await world.list(owner, { as: asOwner(owner) }, { limit: 1 })
    for (const page of [json?.page, '~', '~x', '~%.', 'x']) {
      expectStatus(await world.list(owner, { as }, { page }), 400, 'InvalidInputError')
    }
  })
})
