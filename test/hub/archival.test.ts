import { expect } from 'chai'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import type { RunningServer } from '../../http/server.ts'
import { eventually } from './eventually.ts'
import { type FaultyDriver, faultyDriver } from './faulty-driver.ts'
import { fakeClock, readFile, startHub, startReader, type TestHub } from './harness.ts'
import { alice } from './people.ts'
import { openRaw, rawHead } from './raw.ts'
import { type Scope, scopedToken } from './tokens.ts'

const clock = fakeClock()
const archival = scopedToken(alice, [{ scope: 'putFileArchivalPrefix', domain: '' }])

describe('archival writes', () => {
  let driver: FaultyDriver
  let hub: TestHub
  let reader: RunningServer

  beforeEach(async () => {
    driver = faultyDriver(memoryDriver({ now: clock }))
    hub = await startHub({ driver, clock })
    reader = await startReader(driver)
  })
  afterEach(async () => {
    await reader.close()
    await hub.close()
  })

  const put = (path: string, body: string, headers: Record<string, string> = {}, token = archival) =>
    hub.store(path, body, { at: alice, token, headers })
  const names = async () => (await hub.list({ page: null }, { by: alice })).json?.entries as string[]
  const historyOf = async () => (await names()).filter((name) => name.includes('.history.'))
  const read = (path: string) => readFile(reader.url, alice.address, path)
  const archivalUpload = () => {
    const connection = openRaw(hub.port)
    connection.write(
      rawHead('POST', `/store/${alice.address}/d/f`, {
        Authorization: `bearer ${archival}`,
        'Content-Length': '8',
      }),
    )
    connection.write('half')
    return connection
  }
  const uploadBegun = () =>
    eventually(async () => {
      expect(driver.calls.filter((call) => call.startsWith('write'))).to.have.length(2)
    })

  for (const [path, pattern] of [
    ['d/e/f.txt', /^d\/e\/\.history\.(\d+)\.[A-Za-z0-9]{10}\.f\.txt$/],
    ['f', /^\.history\.(\d+)\.[A-Za-z0-9]{10}\.f$/],
    ['a b/😀 %', /^a b\/\.history\.(\d+)\.[A-Za-z0-9]{10}\.😀 %$/u],
  ] as const) {
    it(`keep the former content under a name beside it: ${path}`, async () => {
      await put(path, 'first')
      expect(await historyOf()).to.deep.equal([])
      await put(path, 'second')
      const [kept = '', ...more] = await historyOf()
      expect(more).to.deep.equal([])
      expect(pattern.exec(kept)?.[1]).to.equal(String(clock.nowMs))
      expect((await read(path)).body.toString()).to.equal('second')
    })
  }

  it('keep every former version byte for byte and with its own type', async () => {
    const versions = ['text/plain; charset=latin1', 'application/json', 'image/x-odd'].map((type, i) => ({
      type,
      body: `version ${i} \u00e9 ${'x'.repeat(i * 1000)}`,
    }))
    for (const { type, body } of versions) await put('f', body, { 'Content-Type': type })
    const kept = await Promise.all((await historyOf()).map(read))
    const found = kept.map((answer) => ({
      type: answer.headers.get('content-type'),
      body: answer.body.toString(),
    }))
    expect(found).to.have.deep.members(versions.slice(0, 2))
  })

  it('leave the file there at every moment of a slow upload', async () => {
    await put('d/f', 'the former version')
    const seen = new Set<string>()
    const connection = archivalUpload()
    await uploadBegun()
    let isOver = false
    const polling = (async () => {
      while (!isOver) {
        const { status, body } = await read('d/f')
        seen.add(`${status} ${body.toString()}`)
      }
    })()
    await eventually(async () => {
      expect(seen.size).to.equal(1)
    })
    connection.write('-new')
    expect((await connection.answer).status).to.equal(202)
    await eventually(async () => {
      expect(seen.size).to.equal(2)
    })
    isOver = true
    await polling
    connection.socket.destroy()
    expect([...seen]).to.deep.equal(['200 the former version', '200 half-new'])
  })

  it('keep the history before the new content appears', async () => {
    await put('d/f', 'the former version')
    await put('d/f', 'new')
    const ends = driver.calls.filter((call) => /^(copy|write)/.test(call)).map((call) => call.split(' ')[0])
    expect(ends).to.deep.equal(['write', 'write', 'copy'])
    expect((await read((await historyOf())[0] ?? '')).body.toString()).to.equal('the former version')
  })

  it('leave no history when the upload breaks off', async () => {
    await put('d/f', 'the former version')
    const connection = archivalUpload()
    await uploadBegun()
    connection.reset()
    await eventually(async () => {
      expect((await put('free-again', 'x')).status).to.equal(202)
      expect((await hub.delete('d/f', { by: alice, headers: { 'If-Match': '"no"' } })).status).to.equal(412)
    })
    expect(await names()).to.deep.equal(['d/f', 'free-again'])
    expect((await read('d/f')).body.toString()).to.equal('the former version')
  })

  it('leave all as it was when the history cannot be kept', async () => {
    await put('d/f', 'the former version')
    const lift = driver.inject('copy', () => {
      throw new DriverError('unavailable', 'no room')
    })
    expect((await put('d/f', 'new')).status).to.equal(503)
    expect((await hub.delete('d/f', { at: alice, token: archival })).status).to.equal(503)
    lift()
    expect(await names()).to.deep.equal(['d/f'])
    expect((await read('d/f')).body.toString()).to.equal('the former version')
  })

  it('lose nothing when another hub replaces the file meanwhile: 409, and its version stays', async () => {
    await put('d/f', 'the former version')
    const other = await startHub({ driver, clock })
    const connection = archivalUpload()
    await uploadBegun()
    expect((await other.store('d/f', "the other hub's", { by: alice })).status).to.equal(202)
    connection.write('-new')
    const answer = await connection.answer
    connection.socket.destroy()
    await other.close()
    expect(answer.status).to.equal(409)
    expect(answer.json().error).to.equal('ConflictError')
    expect((await read('d/f')).body.toString()).to.equal("the other hub's")
    expect(await historyOf()).to.deep.equal([])
  })

  it('lose nothing when another hub creates the file meanwhile', async () => {
    await put('some-other', 'so that the upload is the second write')
    const other = await startHub({ driver, clock })
    const connection = archivalUpload()
    await uploadBegun()
    await other.store('d/f', "the other hub's", { by: alice })
    connection.write('-new')
    expect((await connection.answer).status).to.equal(409)
    connection.socket.destroy()
    await other.close()
    expect((await read('d/f')).body.toString()).to.equal("the other hub's")
  })

  for (const [what, headers, status] of [
    ['If-Match with the current etag', (etag: string) => ({ 'If-Match': `"${etag}"` }), 202],
    ['If-Match: *', () => ({ 'If-Match': '*' }), 202],
    ['If-Match with a stale etag', () => ({ 'If-Match': '"stale"' }), 412],
    ['If-None-Match: *', () => ({ 'If-None-Match': '*' }), 412],
  ] as const) {
    it(`hold to the client's condition: ${what} is ${status}`, async () => {
      const etag = (await put('f', 'the former version')).json?.etag ?? ''
      const answer = await put('f', 'new', headers(etag))
      expect(answer.status).to.equal(status)
      expect(await historyOf()).to.have.length(status === 202 ? 1 : 0)
      if (status === 412) expect(answer.json?.etag).to.equal(etag)
    })
  }

  it('hold to If-Match where no file is', async () => {
    expect((await put('f', 'x', { 'If-Match': '"gone"' })).status).to.equal(412)
    expect(await names()).to.deep.equal([])
  })

  it('refuse a name whose history name would be too long, and change nothing', async () => {
    const path = 'x'.repeat(1020)
    await hub.store(path, 'the former version', { by: alice })
    const answer = await put(path, 'new')
    expect(answer.status).to.equal(403)
    expect(answer.json?.error).to.equal('BadPathError')
    expect((await read(path)).body.toString()).to.equal('the former version')
  })

  describe('to delete', () => {
    it('move the content to a history name', async () => {
      await put('d/f', 'the former version', { 'Content-Type': 'text/x-old' })
      expect((await hub.delete('d/f', { at: alice, token: archival })).status).to.equal(202)
      expect((await read('d/f')).status).to.equal(404)
      const [kept = ''] = await names()
      expect(kept).to.match(/^d\/\.history\.\d+\.[A-Za-z0-9]{10}\.f$/)
      const { headers, body } = await read(kept)
      expect([headers.get('content-type'), body.toString()]).to.deep.equal([
        'text/x-old',
        'the former version',
      ])
    })

    it('are 404 where nothing is, and 412 with an etag', async () => {
      expect((await hub.delete('f', { at: alice, token: archival })).status).to.equal(404)
      const headers = { 'If-Match': '"gone"' }
      expect((await hub.delete('f', { at: alice, token: archival, headers })).status).to.equal(412)
    })

    it('ask for no delete where nothing is: what another hub stores just then would be lost', async () => {
      expect((await hub.delete('f', { at: alice, token: archival })).status).to.equal(404)
      expect(driver.calls.filter((call) => call.startsWith('delete'))).to.deep.equal([])
    })

    it('hold to If-Match', async () => {
      const etag = (await put('f', 'x')).json?.etag ?? ''
      const remove = (tag: string) =>
        hub.delete('f', { at: alice, token: archival, headers: { 'If-Match': tag } })
      expect((await remove('"stale"')).status).to.equal(412)
      expect(await names()).to.deep.equal(['f'])
      expect((await remove(`"${etag}"`)).status).to.equal(202)
      expect(await historyOf()).to.have.length(1)
    })

    it('let a plain delete scope delete for good', async () => {
      await put('f', 'x')
      const token = scopedToken(alice, [
        { scope: 'deleteFile', domain: 'f' },
        { scope: 'putFileArchival', domain: 'f' },
      ])
      expect((await hub.delete('f', { at: alice, token })).status).to.equal(202)
      expect(await names()).to.deep.equal([])
    })
  })

  describe('never touch history', () => {
    for (const path of [
      '.history.1.abcdefghij.f',
      'd/.history.1.abcdefghij.f',
      '.history.',
      'd/.history.x',
    ]) {
      it(`neither store nor delete ${path}`, async () => {
        await hub.store(path, 'kept', { by: alice })
        expect((await put(path, 'forged')).status).to.equal(401)
        expect((await hub.delete(path, { at: alice, token: archival })).status).to.equal(401)
        expect((await read(path)).body.toString()).to.equal('kept')
      })
    }

    it('but the owner may, without scopes', async () => {
      await put('f', 'first')
      await put('f', 'second')
      const [kept = ''] = await historyOf()
      expect((await hub.delete(kept, { by: alice })).status).to.equal(202)
    })
  })

  describe('list', () => {
    const list = async (body: object, scopes?: Scope[]) => {
      const token = scopes === undefined ? archival : scopedToken(alice, scopes)
      return (await hub.list(body, { at: alice, token })).json
    }
    beforeEach(async () => {
      for (const body of ['1', '2', '3']) await put('d/f', body)
    })

    it('no history names', async () => {
      expect((await list({ page: null }))?.entries).to.deep.equal(['d/f'])
      const { entries } = (await list({ page: null, stat: true })) ?? {}
      expect(entries).to.have.length(1)
    })

    it('one null on a page that is emptied by that while more follow, and none on the last', async () => {
      const first = await list({ page: null, limit: 1 })
      expect(first?.entries).to.deep.equal([null])
      const second = await list({ page: first?.page, limit: 1 })
      expect(second?.entries).to.deep.equal([null])
      const third = await list({ page: second?.page, limit: 1 })
      expect(third).to.deep.equal({ entries: ['d/f'], page: null })
    })

    it('an empty last page where history is all there is', async () => {
      await hub.delete('d/f', { by: alice })
      expect(await list({ page: null })).to.deep.equal({ entries: [], page: null })
    })

    it('history to a plain scope and to the owner', async () => {
      expect((await list({ page: null }, [{ scope: 'putFile', domain: 'd/f' }]))?.entries).to.have.length(3)
      expect(await names()).to.have.length(3)
    })
  })

  it('are plain where a plain scope covers the path too', async () => {
    const token = scopedToken(alice, [
      { scope: 'putFileArchivalPrefix', domain: '' },
      { scope: 'putFile', domain: 'f' },
    ])
    for (const body of ['1', '2']) await put('f', body, {}, token)
    expect(await names()).to.deep.equal(['f'])
    for (const body of ['1', '2']) await put('g', body, {}, token)
    expect(await historyOf()).to.have.length(1)
  })
})
