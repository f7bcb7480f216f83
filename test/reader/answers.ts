import { randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, request } from 'node:http'
import { Readable } from 'node:stream'
import { expect } from 'chai'
import type { Driver, ObjectInfo } from '../../drivers/driver.ts'
import { authKey, fileKey, type Key, parseAddress, parsePath } from '../../drivers/key.ts'
import { readerApp } from '../../reader/app.ts'
import { closeServers, type Served, serve } from '../http/serve.ts'

export interface ReaderHarness {
  /** Fresh storage. */
  driver: Driver
  dispose: () => Promise<void>
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

export const alice = parseAddress('1J3PUxY5uDShUnHRrMyU6yKtoHEUPhKULs')
export const cacheControl = 'public, max-age=60'

/** One request, its path exactly as it is given. */
export function ask(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url)
    const req = request({ hostname, port, method, path, headers, agent: false }, (res) => {
      const chunks: Buffer[] = []
      res.on('data', (chunk: Buffer) => chunks.push(chunk))
      res.once('error', reject)
      res.once('end', () =>
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) }),
      )
    })
    req.once('error', reject)
    req.end()
  })
}

export async function put(driver: Driver, key: Key, content: string | Buffer, contentType: string) {
  const body = Buffer.from(content)
  return await driver.write(key, Readable.from(body.length === 0 ? [] : [body]), { contentType })
}

export function keyOf(path: string): Key {
  return fileKey(alice, parsePath(path))
}

/** A reader over a driver, on the loopback. */
export async function serveReader(driver: Pick<Driver, 'stat' | 'read' | 'check'>): Promise<Served> {
  return await serve((logger) => readerApp({ driver, logger, cacheControl }))
}

const digits = '0123456789'
const large = randomBytes(300_001)

interface StoredFile {
  path: string
  /** As it stands in a request. */
  encoded: string
  content: string | Buffer
  contentType: string
}

const files = {
  digits: {
    path: 'notes/digits.txt',
    encoded: 'notes/digits.txt',
    content: digits,
    contentType: 'text/plain',
  },
  empty: { path: 'empty', encoded: 'empty', content: '', contentType: 'application/octet-stream' },
  large: { path: 'large.bin', encoded: 'large.bin', content: large, contentType: 'application/octet-stream' },
  html: {
    path: 'page.html',
    encoded: 'page.html',
    content: '<script>alert(document.cookie)</script>',
    contentType: 'text/html',
  },
  verbatim: {
    path: 'verbatim',
    encoded: 'verbatim',
    content: '{}',
    contentType: 'Application/JSON ;x="é";  Charset=Weird',
  },
  awkward: {
    path: 'a b/100%/#1?/"ü" +&=;,.txt',
    encoded: 'a%20b/100%25/%231%3F/%22%C3%BC%22%20+&=;,.txt',
    content: 'awkward',
    contentType: 'text/plain',
  },
  unicode: {
    path: '日本/😀',
    encoded: '%E6%97%A5%E6%9C%AC/%f0%9f%98%80',
    content: 'deep',
    contentType: 'text/plain',
  },
  composed: { path: 'é', encoded: '%C3%A9', content: 'composed', contentType: 'text/plain' },
  decomposed: { path: 'e\u0301', encoded: 'e%CC%81', content: 'decomposed', contentType: 'text/plain' },
  escaped: { path: '%41', encoded: '%2541', content: 'percent', contentType: 'text/plain' },
  letter: { path: 'A', encoded: '%41', content: 'letter', contentType: 'text/plain' },
} as const satisfies Record<string, StoredFile>

type FileName = keyof typeof files

/** Headers of every answer; those of the connection and the day are left out. */
const common = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'Content-Type,ETag,Content-Length,Content-Range,Last-Modified',
  'content-security-policy': 'sandbox',
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-permitted-cross-domain-policies': 'none',
}
const ofConnection = ['date', 'connection', 'keep-alive', 'x-request-id']

type RequestHeaders = Record<string, string | string[]>

/** What a request for a stored file gets: the whole, a slice of it (both ends inclusive), or no content. */
type Expected =
  | 'whole'
  | 'not modified'
  | 'changed'
  | 'unsatisfiable'
  | readonly [first: number, last: number]

interface Row {
  it: string
  file?: FileName
  headers: (info: ObjectInfo) => RequestHeaders
  /** Of a GET. */
  get: Expected
  /** Of a HEAD, where it differs. */
  head?: Expected
}

const dateOf = (info: ObjectInfo, plusSeconds = 0) =>
  new Date((Math.floor(info.lastModifiedMs / 1000) + plusSeconds) * 1000).toUTCString()

const ranges: [string, Expected, FileName?][] = [
  ['bytes=0-0', [0, 0]],
  ['bytes=0-3', [0, 3]],
  ['bytes=4-', [4, 9]],
  ['bytes=9-', [9, 9]],
  ['bytes=-3', [7, 9]],
  ['bytes=-10', [0, 9]],
  ['bytes=-11', [0, 9]],
  ['bytes=-99999999999999999999999', [0, 9]],
  ['bytes=0-9', [0, 9]],
  ['bytes=0-10', [0, 9]],
  ['bytes=2-99999999999999999999999', [2, 9]],
  ['BYTES=1-2', [1, 2]],
  ['bytes= 1-2 ', [1, 2]],
  ['bytes=10-', 'unsatisfiable'],
  ['bytes=10-20', 'unsatisfiable'],
  ['bytes=99999999999999999999999-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=0-', 'unsatisfiable', 'empty'],
  ['bytes=0-0', 'unsatisfiable', 'empty'],
  ['bytes=-0', 'unsatisfiable', 'empty'],
  ['bytes=-5', 'whole', 'empty'],
  ['bytes=5-4', 'whole'],
  ['bytes=-', 'whole'],
  ['bytes=', 'whole'],
  ['bytes', 'whole'],
  ['0-3', 'whole'],
  ['bytes=0x0-3', 'whole'],
  ['bytes=+1-3', 'whole'],
  ['bytes=1.5-3', 'whole'],
  ['bytes=--3', 'whole'],
  ['bytes=0-3-5', 'whole'],
  ['items=0-3', 'whole'],
  ['bytes=0-1,4-5', 'whole'],
  ['bytes=0-1,', 'whole'],
]

const rows: Row[] = [
  ...Object.keys(files).map(
    (file): Row => ({ it: `sends ${file}`, file: file as FileName, headers: () => ({}), get: 'whole' }),
  ),
  ...ranges.map(
    ([range, get, file]): Row => ({
      it: `answers ${range || 'an empty Range'}${file === undefined ? '' : ` of ${file}`}`,
      headers: () => ({ Range: range }),
      ...(file === undefined ? {} : { file }),
      get,
      head: 'whole',
    }),
  ),
  {
    it: 'answers a range across many chunks',
    file: 'large',
    headers: () => ({ Range: 'bytes=65530-200000' }),
    get: [65530, 200000],
    head: 'whole',
  },
  {
    it: 'answers two Range headers with the whole',
    headers: () => ({ Range: ['bytes=0-1', 'bytes=2-3'] }),
    get: 'whole',
  },

  {
    it: 'If-None-Match: this version',
    headers: ({ etag }) => ({ 'If-None-Match': `"${etag}"` }),
    get: 'not modified',
  },
  {
    it: 'If-None-Match: weak',
    headers: ({ etag }) => ({ 'If-None-Match': `W/"${etag}"` }),
    get: 'not modified',
  },
  { it: 'If-None-Match: unquoted', headers: ({ etag }) => ({ 'If-None-Match': etag }), get: 'not modified' },
  {
    it: 'If-None-Match: one of several',
    headers: ({ etag }) => ({ 'If-None-Match': `"x", W/"y",, "${etag}"` }),
    get: 'not modified',
  },
  { it: 'If-None-Match: *', headers: () => ({ 'If-None-Match': '*' }), get: 'not modified' },
  { it: 'If-None-Match: another', headers: () => ({ 'If-None-Match': '"other"' }), get: 'whole' },
  {
    it: 'If-None-Match: only a part',
    headers: ({ etag }) => ({ 'If-None-Match': `"${etag}x"` }),
    get: 'whole',
  },
  {
    it: 'If-None-Match: an open quote',
    headers: ({ etag }) => ({ 'If-None-Match': `"x${etag}` }),
    get: 'whole',
  },
  {
    it: 'If-None-Match as fetch sends it, with no-cache',
    headers: ({ etag }) => ({
      'If-None-Match': `"${etag}"`,
      'Cache-Control': 'no-cache',
      Pragma: 'no-cache',
    }),
    get: 'not modified',
  },
  {
    it: 'If-None-Match before If-Modified-Since',
    headers: (info) => ({ 'If-None-Match': '"other"', 'If-Modified-Since': dateOf(info) }),
    get: 'whole',
  },
  {
    it: 'If-None-Match before Range',
    headers: ({ etag }) => ({ 'If-None-Match': `"${etag}"`, Range: 'bytes=99-' }),
    get: 'not modified',
  },
  {
    it: 'If-None-Match: another, with a Range',
    headers: () => ({ 'If-None-Match': '"other"', Range: 'bytes=1-2' }),
    get: [1, 2],
    head: 'whole',
  },
  {
    it: 'If-Modified-Since: then',
    headers: (info) => ({ 'If-Modified-Since': dateOf(info) }),
    get: 'not modified',
  },
  {
    it: 'If-Modified-Since: later',
    headers: (i) => ({ 'If-Modified-Since': dateOf(i, 60) }),
    get: 'not modified',
  },
  {
    it: 'If-Modified-Since: before',
    headers: (info) => ({ 'If-Modified-Since': dateOf(info, -1) }),
    get: 'whole',
  },
  {
    it: 'If-Modified-Since in the form of RFC 850',
    headers: () => ({ 'If-Modified-Since': 'Sunday, 06-Nov-94 08:49:37 GMT' }),
    get: 'whole',
  },
  {
    it: 'If-Modified-Since in the form of asctime',
    headers: () => ({ 'If-Modified-Since': 'Sun Nov  6 08:49:37 2044' }),
    get: 'not modified',
  },
  { it: 'If-Modified-Since: no date', headers: () => ({ 'If-Modified-Since': 'tomorrow' }), get: 'whole' },
  { it: 'If-Modified-Since: a bare year', headers: () => ({ 'If-Modified-Since': '2099' }), get: 'whole' },

  { it: 'If-Match: this version', headers: ({ etag }) => ({ 'If-Match': `"${etag}"` }), get: 'whole' },
  { it: 'If-Match: unquoted', headers: ({ etag }) => ({ 'If-Match': etag }), get: 'whole' },
  { it: 'If-Match: *', headers: () => ({ 'If-Match': '*' }), get: 'whole' },
  { it: 'If-Match: weak', headers: ({ etag }) => ({ 'If-Match': `W/"${etag}"` }), get: 'changed' },
  { it: 'If-Match: another', headers: () => ({ 'If-Match': '"other"' }), get: 'changed' },
  {
    it: 'If-Match before Range',
    headers: () => ({ 'If-Match': '"other"', Range: 'bytes=0-1' }),
    get: 'changed',
  },
  {
    it: 'If-Match and a Range',
    headers: ({ etag }) => ({ 'If-Match': `"${etag}"`, Range: 'bytes=0-1' }),
    get: [0, 1],
    head: 'whole',
  },
  {
    it: 'If-Unmodified-Since: then',
    headers: (info) => ({ 'If-Unmodified-Since': dateOf(info) }),
    get: 'whole',
  },
  {
    it: 'If-Unmodified-Since: before',
    headers: (info) => ({ 'If-Unmodified-Since': dateOf(info, -1) }),
    get: 'changed',
  },

  ...(
    [
      ['this version', ({ etag }) => `"${etag}"`, true],
      ['unquoted', ({ etag }) => etag, true],
      ['then', (info) => dateOf(info), true],
      ['another', () => '"other"', false],
      ['weak', ({ etag }) => `W/"${etag}"`, false],
      ['*', () => '*', false],
      ['before', (info) => dateOf(info, -1), false],
      ['later', (info) => dateOf(info, 1), false],
    ] as [string, (info: ObjectInfo) => string, boolean][]
  ).map(
    ([name, value, holds]): Row => ({
      it: `If-Range: ${name}`,
      headers: (info) => ({ 'If-Range': value(info), Range: 'bytes=1-2' }),
      get: holds ? [1, 2] : 'whole',
      head: 'whole',
    }),
  ),
  {
    it: 'If-Range another, where the range is not satisfiable',
    headers: () => ({ 'If-Range': '"other"', Range: 'bytes=99-' }),
    get: 'whole',
  },
  { it: 'If-Range without a Range', headers: () => ({ 'If-Range': '"other"' }), get: 'whole' },
]

/** The status and every header of an answer, and its content as a GET has it. */
function expected(what: Expected, file: StoredFile, info: ObjectInfo): Answer {
  const content = Buffer.from(file.content)
  const version = {
    etag: `"${info.etag}"`,
    'last-modified': dateOf(info),
    'cache-control': cacheControl,
    'accept-ranges': 'bytes',
  }
  // HTTP/1.1 header values are bytes; both ends take them as Latin-1.
  const type = { 'content-type': file.contentType }
  const ofContent = (body: Buffer) => ({ ...type, 'content-length': String(body.length) })
  switch (what) {
    case 'whole':
      return { status: 200, headers: { ...common, ...version, ...ofContent(content) }, body: content }
    case 'not modified':
      return { status: 304, headers: { ...common, ...version }, body: Buffer.alloc(0) }
    case 'changed':
      return refusal(412, 'PreconditionFailedError', 'the file is not the version that was asked for', {
        etag: `"${info.etag}"`,
      })
    case 'unsatisfiable': {
      const { size } = info
      const answer = refusal(416, 'RangeNotSatisfiableError', 'the range lies outside of the file', { size })
      return { ...answer, headers: { ...answer.headers, 'content-range': `bytes */${size}` } }
    }
    default: {
      const body = content.subarray(what[0], what[1] + 1)
      const range = { 'content-range': `bytes ${what[0]}-${what[1]}/${content.length}` }
      return { status: 206, headers: { ...common, ...version, ...ofContent(body), ...range }, body }
    }
  }
}

function refusal(status: number, error: string, message: string, details: object = {}): Answer {
  const body = Buffer.from(JSON.stringify({ message, error, ...details }))
  const headers = {
    ...common,
    'cache-control': 'no-store',
    'content-type': 'application/json',
    'content-length': String(body.length),
  }
  return { status, headers, body }
}

function compare(actual: Answer, wanted: Answer): void {
  const headers = Object.fromEntries(
    Object.entries(actual.headers).filter(([name]) => !ofConnection.includes(name)),
  )
  expect({ status: actual.status, headers }).to.deep.equal({ status: wanted.status, headers: wanted.headers })
  expect(
    actual.body.equals(wanted.body),
    `${actual.body.length} bytes: ${actual.body.toString().slice(0, 100)}`,
  ).to.equal(true)
}

/** Paths that name no file, though something like it is stored. */
const notFiles: [string, string][] = [
  ['a missing file', `/${alice}/missing`],
  ['a folder', `/${alice}/notes`],
  ['a folder with its slash', `/${alice}/notes/`],
  ['something below a file', `/${alice}/empty/below`],
  ['an address alone', `/${alice}`],
  ['an address and a slash', `/${alice}/`],
  ['the root', '/'],
  ['two slashes', `/${alice}//notes/digits.txt`],
  ['two slashes within', `/${alice}/notes//digits.txt`],
  ['two slashes at the end', `/${alice}/notes/digits.txt//`],
  ['another case', `/${alice}/NOTES/digits.txt`],
  ['an address in another case', `/${alice.toLowerCase()}/notes/digits.txt`],
  ['a name over 1,024 bytes', `/${alice}/${'a'.repeat(1_025)}`],
  ['a segment over 255 bytes', `/${alice}/${'a'.repeat(300)}`],
  ['101 segments', `/${alice}/${Array.from({ length: 101 }, () => 'a').join('/')}`],
  ['an address over 128 characters', `/${'1'.repeat(129)}/a`],
  ["the hub's records", `/${alice}-auth/authTimestamp`],
  ["the hub's records, escaped hyphen", `/${alice}%2Dauth/authTimestamp`],
  ["the hub's records, all escaped", `/${alice}%2d%61%75%74%68/authTimestamp`],
  ["the hub's records, escaped slash", `/${alice}-auth%2FauthTimestamp`],
  ["the hub's records, escaped twice", `/${alice}%252Dauth/authTimestamp`],
  ["the hub's records, by a way back", `/${alice}/../${alice}-auth/authTimestamp`],
  ["the hub's records, by an escaped way back", `/${alice}/%2e%2e/${alice}-auth/authTimestamp`],
  ["the hub's records, by escaped slashes", `/${alice}/..%2f${alice}-auth%2fauthTimestamp`],
  ["the hub's records, by a raw backslash", `/${alice}/..\\${alice}-auth\\authTimestamp`],
  ["the hub's records, by backslashes", `/${alice}/..%5c${alice}-auth%5cauthTimestamp`],
  ["the hub's records, by an overlong dot", `/${alice}/%c0%ae%c0%ae/${alice}-auth/authTimestamp`],
  ["the hub's records, by a full-width dot", `/${alice}/%EF%BC%8E%EF%BC%8E/${alice}-auth/authTimestamp`],
  ['Gaia’s metadata', `/${alice}/.gaia-metadata/notes/digits.txt`],
  ['Gaia’s metadata from the root', `/.gaia-metadata/${alice}/notes/digits.txt`],
  ['Gaia’s metadata, escaped', `/${alice}/%2egaia-metadata/notes/digits.txt`],
  ['a way to the system', `/${alice}/../../../../../../../../etc/passwd`],
  ['a way to the system, escaped', `/${alice}/%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd`],
  ['a dot segment', `/${alice}/./notes/digits.txt`],
  ['an escaped dot segment', `/${alice}/notes/%2e/digits.txt`],
  ['a NUL', `/${alice}/notes/digits.txt%00`],
  ['a line feed', `/${alice}/notes/digits.txt%0a`],
  ['a C1 control', `/${alice}/notes%C2%85`],
  ['a malformed escape', `/${alice}/notes/%zz`],
  ['half an escape', `/${alice}/notes/digits.txt%2`],
  ['malformed UTF-8', `/${alice}/%ff`],
  ['a lone surrogate', `/${alice}/%ED%A0%80`],
]

const stored: Record<string, StoredFile> = files

/**
 * What the reader answers over a driver: the same request gets the same status, headers and bytes, whatever the
 * driver.
 */
export function readerAnswers(name: string, makeHarness: () => Promise<ReaderHarness>): void {
  describe(`the reader over ${name}`, () => {
    let harness: ReaderHarness
    let server: Served
    const infos = new Map<string, ObjectInfo>()

    before(async () => {
      harness = await makeHarness()
      for (const [file, { path, content, contentType }] of Object.entries(stored)) {
        await put(harness.driver, keyOf(path), content, contentType)
        // The answer to a write may be off in its time where the backend does not tell it there.
        const info = await harness.driver.stat(keyOf(path))
        if (info === null) throw new Error(`${file} was not stored`)
        infos.set(file, info)
      }
      await put(harness.driver, authKey(alice, 'authTimestamp'), '12345', 'text/plain')
      server = await serveReader(harness.driver)
    })
    after(async () => {
      await closeServers()
      await harness.dispose()
    })

    const about = (file: FileName) => {
      const info = infos.get(file)
      if (info === undefined) throw new Error(`${file} was not stored`)
      return { info, file: files[file], path: `/${alice}/${files[file].encoded}` }
    }

    for (const row of rows) {
      it(`GET: ${row.it}`, async () => {
        const { info, file, path } = about(row.file ?? 'digits')
        compare(await ask(server.url, 'GET', path, row.headers(info)), expected(row.get, file, info))
      })

      it(`HEAD: ${row.it}`, async () => {
        const { info, file, path } = about(row.file ?? 'digits')
        const wanted = expected(row.head ?? row.get, file, info)
        const answer = await ask(server.url, 'HEAD', path, row.headers(info))
        compare(answer, { ...wanted, body: Buffer.alloc(0) })
      })
    }

    for (const [title, path] of notFiles) {
      it(`answers ${title} with 404`, async () => {
        const wanted = refusal(404, 'DoesNotExist', 'there is no such file')
        compare(await ask(server.url, 'GET', path), wanted)
        compare(await ask(server.url, 'GET', path, { Range: 'bytes=0-1', 'If-Match': '*' }), wanted)
        compare(await ask(server.url, 'HEAD', path), { ...wanted, body: Buffer.alloc(0) })
      })
    }

    it('drops a slash at the end, and a query', async () => {
      const { info, file, path } = about('digits')
      for (const target of [`${path}/`, `${path}?`, `${path}?a=b/../c%zz`, `http://elsewhere${path}`]) {
        compare(await ask(server.url, 'GET', target), expected('whole', file, info))
      }
    })

    it('serves the new version after an overwrite, and forgets a deleted one', async () => {
      const key = keyOf('changing')
      const path = `/${alice}/changing`
      const first = await put(harness.driver, key, 'first', 'text/plain')
      await put(harness.driver, key, 'second', 'text/html')
      const answer = await ask(server.url, 'GET', path, { 'If-None-Match': `"${first.etag}"` })
      expect(answer).to.include({ status: 200 })
      expect(answer.headers).to.include({ 'content-type': 'text/html', 'content-length': '6' })
      expect(String(answer.body)).to.equal('second')
      await harness.driver.delete(key)
      expect((await ask(server.url, 'GET', path)).status).to.equal(404)
    })
  })
}
