import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { RunningServer } from '../../http/server.ts'
import { encodePath, readAnswer, readFile, startReader, suiteHub, type TestHub } from './harness.ts'
import { alice } from './people.ts'
import { sendRaw } from './raw.ts'
import { v1Token } from './tokens.ts'

const path = 'photos/me.jpg'

describe('store', () => {
  const suite = suiteHub()
  let reader: RunningServer

  before(async () => {
    reader = await startReader(suite.hub.driver)
  })
  after(() => reader.close())

  const read = (name: string) => readFile(reader.url, alice.address, name)
  const store = (name: string, body: BodyInit, headers: Record<string, string> = {}) =>
    suite.hub.store(name, body, { by: alice, headers })

  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['one byte', Buffer.from([0])],
    ['every byte value', Buffer.from(Array.from({ length: 256 }, (_, i) => i))],
    ['line ends of both kinds', Buffer.from('a\r\nb\nc\r')],
    ['a byte order mark', Buffer.from('\uFEFF{}')],
    ['300 KiB of random bytes', randomBytes(300 * 1024)],
  ] as const) {
    it(`keeps the body byte for byte: ${what}`, async () => {
      const answer = await store('bytes', bytes, { 'Content-Type': 'application/json' })
      expect(answer.status).to.equal(202)
      expect(Object.keys(answer.json ?? {})).to.have.members(['publicURL', 'etag'])
      const found = await read('bytes')
      expect(found.body.equals(bytes)).to.equal(true)
      expect(found.headers.get('content-length')).to.equal(String(bytes.length))
    })
  }

  it('takes a request without any body for an empty file', async () => {
    const answer = await sendRaw(suite.hub.port, {
      method: 'POST',
      target: `/store/${alice.address}/empty`,
      headers: { Authorization: `bearer ${v1Token(alice)}` },
    })
    expect(answer.status).to.equal(202)
    expect((await read('empty')).headers.get('content-length')).to.equal('0')
  })

  it('replaces a long file by a short one, whole', async () => {
    await store('shrinking', 'a long content')
    await store('shrinking', 'short')
    expect((await read('shrinking')).body.toString()).to.equal('short')
  })

  describe('Content-Type', () => {
    for (const contentType of [
      'text/plain',
      'text/plain; charset=ISO-8859-1',
      'TEXT/HTML;Charset="utf-8" ; x=y',
      'application/json',
      'not a media type at all',
      `text/plain; x=${'y'.repeat(1024 - 14)}`,
    ]) {
      it(`is kept verbatim: ${contentType.slice(0, 40)} (${contentType.length} characters)`, async () => {
        expect((await store('typed', 'x', { 'Content-Type': contentType })).status).to.equal(202)
        expect((await read('typed')).headers.get('content-type')).to.equal(contentType)
      })
    }

    for (const headers of [{}, { 'Content-Type': '' }, { 'Content-Type': ' ' }]) {
      it(`is application/octet-stream where none is sent: ${JSON.stringify(headers)}`, async () => {
        const answer = await sendRaw(suite.hub.port, {
          method: 'POST',
          target: `/store/${alice.address}/untyped`,
          headers: { Authorization: `bearer ${v1Token(alice)}`, ...headers },
          body: 'x',
        })
        expect(answer.status).to.equal(202)
        expect((await read('untyped')).headers.get('content-type')).to.equal('application/octet-stream')
      })
    }

    for (const [what, contentType] of [
      ['of 1,025 characters', 'x'.repeat(1025)],
      ['with characters that a header cannot give back', 'text/plain; x=\u00e9'],
    ] as const) {
      it(`is refused ${what}, and nothing is stored`, async () => {
        const answer = await store('overtyped', 'x', { 'Content-Type': contentType })
        expect(answer.status).to.equal(400)
        expect(answer.json?.error).to.equal('InvalidInputError')
        expect((await read('overtyped')).status).to.equal(404)
      })
    }
  })

  describe('publicURL', () => {
    for (const name of [
      'plain.txt',
      'a folder/a file',
      '100%',
      '100%25',
      '%2e%2e',
      'a#b',
      'a?b=c&d',
      'smile 😀.txt',
      'caf\u00e9 (NFC)',
      'cafe\u0301 (NFD)',
      'a+b',
      "it's",
      '..x',
      'x..',
      '...',
      '.hidden',
      'semi;colon:at@and&equals=comma,',
      '[brackets]{braces}^`|~"<>',
      'a/.gaia-metadata/b',
      'ends in space ',
      '\u202edts.txt',
      'a\uFFFEb',
    ]) {
      it(`can be fetched as it stands: ${JSON.stringify(name)}`, async () => {
        const content = `content of ${name}`
        const answer = await store(name, content)
        expect(answer.status).to.equal(202)
        const url = answer.json?.publicURL ?? ''
        expect(url).to.match(/^[!-~]+$/)
        const onReader = url.replace('http://127.0.0.1:1', reader.url)
        const found = await readAnswer(await fetch(onReader))
        expect(found.body.toString()).to.equal(content)
        expect((await suite.hub.list({ page: null }, { by: alice })).json?.entries).to.include(name)
        expect((await suite.hub.delete(name, { by: alice })).status).to.equal(202)
        expect((await read(name)).status).to.equal(404)
      })
    }

    it('keeps NFC and NFD, and upper and lower case, apart', async () => {
      const names = ['caf\u00e9', 'cafe\u0301', 'CAF\u00c9']
      for (const name of names) await store(name, name)
      for (const name of names) expect((await read(name)).body.toString()).to.equal(name)
    })

    it('decodes exactly once', async () => {
      const answer = await sendRaw(suite.hub.port, {
        method: 'POST',
        target: `/store/${alice.address}/once%252Ftwice`,
        headers: { Authorization: `bearer ${v1Token(alice)}` },
        body: 'x',
      })
      expect(answer.json().publicURL).to.equal(`http://127.0.0.1:1/${alice.address}/once%252Ftwice`)
      expect((await read('once%2Ftwice')).status).to.equal(200)
    })
  })
})

describe('delete', () => {
  const suite = suiteHub()

  it('answers 202 with nothing, and the file is gone', async () => {
    await suite.hub.store('f', 'x', { by: alice })
    const answer = await suite.hub.delete('f', { by: alice })
    expect(answer.status).to.equal(202)
    expect(answer.body.length).to.equal(0)
    expect((await suite.hub.list({ page: null }, { by: alice })).json?.entries).to.deep.equal([])
  })

  it('is 404 DoesNotExist where nothing is', async () => {
    const answer = await suite.hub.delete('never', { by: alice })
    expect(answer.status).to.equal(404)
    expect(answer.json?.error).to.equal('DoesNotExist')
  })

  for (const [what, headers, status] of [
    ['the current etag', (etag: string) => ({ 'If-Match': `"${etag}"` }), 202],
    ['a star', () => ({ 'If-Match': '*' }), 202],
    ['a stale etag', () => ({ 'If-Match': '"stale"' }), 412],
    ['If-None-Match', () => ({ 'If-None-Match': '*' }), 412],
  ] as const) {
    it(`holds to a condition: ${what} is ${status}`, async () => {
      const etag = (await suite.hub.store('conditional', 'x', { by: alice })).json?.etag ?? ''
      const answer = await suite.hub.delete('conditional', { by: alice, headers: headers(etag) })
      expect(answer.status).to.equal(status)
      const { json } = await suite.hub.list({ page: null }, { by: alice })
      expect(json?.entries).to.deep.equal(status === 202 ? [] : ['conditional'])
    })
  }

  for (const headers of [{ 'If-Match': '"gone"' }, { 'If-None-Match': '*' }]) {
    it(`is 412 where nothing is, with ${JSON.stringify(headers)}`, async () => {
      expect((await suite.hub.delete('never', { by: alice, headers })).status).to.equal(412)
    })
  }
})

describe('etags and conditions of a store', () => {
  const suite = suiteHub()
  let reader: RunningServer
  /** Of the version that is there when each test begins. */
  let etag: string

  before(async () => {
    reader = await startReader(suite.hub.driver)
  })
  after(() => reader.close())
  beforeEach(async () => {
    await put('an older version')
    etag = (await put('the former version')).json?.etag ?? ''
  })

  const put = (body: string, headers: Record<string, string> = {}) =>
    suite.hub.store(path, body, { by: alice, headers })
  const stored = async () => (await readFile(reader.url, alice.address, path)).body.toString()

  const holds: [string, (current: string) => Record<string, string>][] = [
    ['no condition at all', () => ({})],
    ['If-Match with the bare etag of the store answer', (current) => ({ 'If-Match': current })],
    ['If-Match with it in further quotes', (current) => ({ 'If-Match': `"${current}"` })],
    ['If-Match with it without quotes', (current) => ({ 'If-Match': current.replaceAll('"', '') })],
    ['If-Match with a list that holds it', (current) => ({ 'If-Match': `"other", "${current}"` })],
    ['If-Match with a list without quotes', (current) => ({ 'If-Match': `other,${current}` })],
    ['If-Match: *', () => ({ 'If-Match': '*' })],
    ['blanks around the etag', (current) => ({ 'If-Match': `  "${current}"  ` })],
  ]
  for (const [what, headers] of holds) {
    it(`overwrites with ${what}`, async () => {
      const answer = await put('new', headers(etag))
      expect(answer.status).to.equal(202)
      expect(answer.json?.etag).to.be.a('string').that.does.not.equal(etag)
      expect(await stored()).to.equal('new')
    })
  }

  const fails: [string, (current: string) => Record<string, string>][] = [
    ['If-Match with another etag', () => ({ 'If-Match': '"stale"' })],
    ['If-Match with a list of others', () => ({ 'If-Match': '"stale", "staler"' })],
    ['If-Match with an empty etag', () => ({ 'If-Match': '""' })],
    ['If-Match with a weak etag, which compares strongly', (current) => ({ 'If-Match': `W/"${current}"` })],
    ['If-Match with the etag in upper case', (current) => ({ 'If-Match': `"${current.toUpperCase()}"` })],
    ['If-None-Match: *', () => ({ 'If-None-Match': '*' })],
  ]
  for (const [what, headers] of fails) {
    it(`is 412 with the current etag, and changes nothing: ${what}`, async () => {
      const answer = await put('new', headers(etag))
      expect(answer.status).to.equal(412)
      expect(answer.json).to.include({ error: 'PreconditionFailedError', etag })
      expect(await stored()).to.equal('the former version')
    })
  }

  const senseless: [string, (current: string) => Record<string, string>][] = [
    ['both headers', (current) => ({ 'If-Match': `"${current}"`, 'If-None-Match': '*' })],
    ['both headers, both a star', () => ({ 'If-Match': '*', 'If-None-Match': '*' })],
    ['If-None-Match with another etag', () => ({ 'If-None-Match': '"stale"' })],
    ['If-None-Match with this etag', (current) => ({ 'If-None-Match': `"${current}"` })],
    ['17 etags', (current) => ({ 'If-Match': Array(17).fill(`"${current}"`).join(',') })],
  ]
  for (const [what, headers] of senseless) {
    it(`is 412, and changes nothing: ${what}`, async () => {
      const answer = await put('new', headers(etag))
      expect(answer.status).to.equal(412)
      expect(answer.json?.error).to.equal('PreconditionFailedError')
      expect(await stored()).to.equal('the former version')
    })
  }

  for (const [what, headers, status] of [
    ['If-Match: *', { 'If-Match': '*' }, 202],
    ['If-None-Match: *', { 'If-None-Match': '*' }, 202],
    ['If-Match with an etag', { 'If-Match': '"gone"' }, 412],
    ['If-Match with a list of etags', { 'If-Match': '"gone", "too"' }, 412],
    ['both headers', { 'If-Match': '*', 'If-None-Match': '*' }, 412],
    ['If-None-Match with an etag', { 'If-None-Match': '"gone"' }, 412],
  ] as const) {
    it(`is ${status} where no file is: ${what}`, async () => {
      const name = `missing/${what}`
      const answer = await suite.hub.store(name, 'x', { by: alice, headers })
      expect(answer.status).to.equal(status)
      if (status === 412) expect(answer.json).not.to.have.property('etag')
      expect((await readFile(reader.url, alice.address, name)).status).to.equal(status === 202 ? 200 : 404)
    })
  }

  it('gives the same etag in the store answer, the list and the reader, and takes each of them back', async () => {
    for (const find of [etagOfStore, etagOfList, etagOfReader]) {
      const current = (await put('first')).json?.etag ?? ''
      const given = await find(suite.hub, reader.url, current)
      expect(given)
        .to.equal(current)
        .and.to.match(/^"[^"]+"$/)
      expect((await put('second', { 'If-Match': given })).status).to.equal(202)
      expect((await put('third', { 'If-Match': given })).status).to.equal(412)
    }
  })

  it('lets exactly one of ten writers with the same etag win', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => put(`writer ${i}`, { 'If-Match': `"${etag}"` })),
    )
    const statuses = answers.map((answer) => answer.status)
    expect(statuses.filter((status) => status === 202)).to.have.length(1)
    expect(statuses.every((status) => status === 202 || status === 409 || status === 412)).to.equal(true)
    expect(await stored()).to.equal(`writer ${statuses.indexOf(202)}`)
  })
})

async function etagOfStore(_hub: TestHub, _readerUrl: string, current: string): Promise<string> {
  return current
}

async function etagOfList(hub: TestHub): Promise<string> {
  const { json } = await hub.list({ page: null, stat: true }, { by: alice })
  const entries = json?.entries as { name: string; etag: string }[]
  return entries.find((entry) => entry.name === path)?.etag ?? ''
}

async function etagOfReader(_hub: TestHub, readerUrl: string): Promise<string> {
  const response = await fetch(`${readerUrl}/${alice.address}/${encodePath(path)}`)
  await response.arrayBuffer()
  return response.headers.get('etag') ?? ''
}
