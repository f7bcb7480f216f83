import { expect } from 'chai'
import { smoke } from '../../../deploy/smoke.ts'
import { bob, delegate, invoke, newOwner, v1 } from '../../delegation/people.ts'
import { can } from '../../ucan/mint.ts'
import type { Persona } from '../../ucan/personas.ts'
import { type Answer, type Ask, ask } from './ask.ts'
import { maxMegabytes, type Running } from './entries.ts'

/** Something that hub and reader do, however they run. */
export interface Case {
  title: string
  /** Not to be seen where the platform resolves `.` and `..` before anybody is asked. */
  needsDots?: true
  run(running: Running): Promise<void>
}

/** Somebody's bucket at a hub and its reader. */
class Bucket {
  readonly owner: Persona = newOwner()
  readonly #running: Running

  constructor(running: Running) {
    this.#running = running
  }

  /** As the owner, unless another credential is given. */
  call(
    method: string,
    operation: string,
    path: string,
    { headers = {}, ...rest }: Ask = {},
  ): Promise<Answer> {
    const authorization = `bearer ${v1(this.owner)}`
    const target = `/${operation}/${this.owner.address}${path === '' ? '' : `/${path}`}`
    return ask(this.#running.hub, method, target, { ...rest, headers: { authorization, ...headers } })
  }

  store(path: string, body: Ask['body'], headers: Record<string, string> = {}): Promise<Answer> {
    return this.call('POST', 'store', path, { headers, ...(body === undefined ? {} : { body }) })
  }

  post(operation: string, body: unknown): Promise<Answer> {
    return this.call('POST', operation, '', {
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  read(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
    return ask(this.#running.reader, method, `/${this.owner.address}/${path}`, { headers })
  }

  async names(): Promise<unknown> {
    return (await this.post('list-files', { page: null })).json().entries
  }
}

function expectStatus(answer: Answer, status: number): void {
  expect(answer.status, answer.body.toString().slice(0, 500)).to.equal(status)
}

function expectRefusal(answer: Answer, status: number, error: string): void {
  expectStatus(answer, status)
  expect(answer.headers['access-control-allow-origin']).to.equal('*')
  expect(answer.json().error).to.equal(error)
}

const awkwardNames: readonly (readonly [target: string, name: string])[] = [
  ['a.txt', 'a.txt'],
  ['with%20space/%23%3F%25%2B.txt', 'with space/#?%+.txt'],
  ['x%2Fy', 'x/y'],
  ['%C3%BC/u%CC%88', 'ü/u\u0308'],
  ['100%25', '100%'],
  ["~;:@&=+$,'()*!", "~;:@&=+$,'()*!"],
  ['%41%2E%2e%2E', 'A...'],
]

const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)

/** Bodies that something on the way might want to understand. */
const bodies: readonly (readonly [what: string, type: string | null, body: Uint8Array | string])[] = [
  ['every byte, of no type', null, everyByte],
  ['every byte, as text', 'text/plain', everyByte],
  ['JSON that is none', 'application/json', '{"broken'],
  ['JSON that is no object', 'application/json', '"text"'],
  ['text in a character set that nobody has', 'text/plain; charset=x-unknown', 'text'],
  ['a form', 'application/x-www-form-urlencoded', 'a=1&a=2&%zz'],
  ['a cloud event', 'application/cloudevents+json', 'no event'],
  ['nothing', 'text/plain', ''],
  ['nothing, as JSON', 'application/json', ''],
  ['nothing, of no type', null, ''],
]

export const cases: readonly Case[] = [
  {
    title: 'tells what it is, and describes itself',
    async run({ hub, reader }) {
      const info = await ask(hub, 'GET', '/hub_info')
      expectStatus(info, 200)
      expect(info.json()).to.include({ read_url_prefix: `${reader}/`, hub_did: 'did:web:hub.example' })
      for (const server of [hub, reader]) {
        expect((await ask(server, 'GET', '/openapi.json')).json()).to.have.property('paths')
        expect((await ask(server, 'GET', '/docs.js')).body.length).to.be.above(100_000)
        expectStatus(await ask(server, 'GET', '/readyz'), 200)
      }
    },
  },
  {
    title: 'stores, lists, reads and deletes under awkward names',
    async run(running) {
      const bucket = new Bucket(running)
      for (const [target, name] of awkwardNames) {
        const stored = await bucket.store(target, name, { 'content-type': 'text/x-name' })
        expectStatus(stored, 202)
        const read = await bucket.read(target)
        expect([read.status, read.body.toString(), read.headers['content-type']]).to.deep.equal([
          200,
          name,
          'text/x-name',
        ])
      }
      expect(await bucket.names()).to.have.members(awkwardNames.map(([, name]) => name))
      for (const [target] of awkwardNames) {
        expectStatus(await bucket.call('DELETE', 'delete', target), 202)
        expectRefusal(await bucket.read(target), 404, 'DoesNotExist')
      }
      expect(await bucket.names()).to.deep.equal([])
    },
  },
  {
    title: 'refuses paths that are none, and stores nothing under what they might be taken for',
    async run(running) {
      const bucket = new Bucket(running)
      for (const path of ['a//b', 'a%5Cb', 'a%00', 'a%zz']) {
        expectRefusal(await bucket.store(path, 'x'), 403, 'BadPathError')
      }
      expect(await bucket.names()).to.deep.equal([])
    },
  },
  {
    title: 'refuses paths with dots and backslashes, as they were sent',
    needsDots: true,
    async run(running) {
      const bucket = new Bucket(running)
      for (const path of ['a/../b', 'a/%2e%2e/b', 'a/.%2E/b', './b', 'a/.', '..', 'a/%2e./b', 'a\\b']) {
        expectRefusal(await bucket.store(path, 'x'), 403, 'BadPathError')
      }
      expect(await bucket.names()).to.deep.equal([])
    },
  },
  {
    title: 'holds stores and deletes to their conditions',
    async run(running) {
      const bucket = new Bucket(running)
      const first = await bucket.store('a', 'one', { 'if-none-match': '*' })
      expectStatus(first, 202)
      const etag = String(first.json().etag)
      const second = await bucket.store('a', 'two', { 'if-match': etag })
      expectStatus(second, 202)
      for (const condition of [{ 'if-match': etag }, { 'if-none-match': '*' }]) {
        expectRefusal(await bucket.store('a', 'three', condition), 412, 'PreconditionFailedError')
      }
      const stale = await bucket.call('DELETE', 'delete', 'a', { headers: { 'if-match': etag } })
      expect(stale.json()).to.include({ error: 'PreconditionFailedError', etag: second.json().etag })
      expect((await bucket.read('a')).body.toString()).to.equal('two')
    },
  },
  {
    title: 'stores bodies byte for byte, whatever their type says',
    async run(running) {
      const bucket = new Bucket(running)
      for (const [what, type, body] of bodies) {
        const stored = await bucket.store('a', body, type === null ? {} : { 'content-type': type })
        expect(stored.status, `${what}: ${stored.body.toString()}`).to.equal(202)
        const read = await bucket.read('a')
        expect(read.headers['content-type'], what).to.equal(type ?? 'application/octet-stream')
        expect(read.headers['content-length'], what).to.equal(String(body.length))
        expect(read.body.equals(Buffer.from(body)), what).to.equal(true)
      }
    },
  },
  {
    title: 'takes bodies without a length',
    async run(running) {
      const bucket = new Bucket(running)
      expectStatus(await bucket.store('a', [everyByte, everyByte]), 202)
      expect((await bucket.read('a')).body.length).to.equal(512)
    },
  },
  {
    title: 'refuses a file that is too large, for scripts of any origin to see, and keeps what was there',
    async run(running) {
      const bucket = new Bucket(running)
      expectStatus(await bucket.store('a', 'small'), 202)
      const tooLarge = Buffer.alloc(maxMegabytes * 1024 * 1024 + 1)
      expectRefusal(await bucket.store('a', tooLarge), 413, 'PayloadTooLargeError')
      expectRefusal(
        await bucket.store('a', [tooLarge.subarray(1), tooLarge.subarray(0, 1)]),
        413,
        'PayloadTooLargeError',
      )
      expect((await bucket.read('a')).body.toString()).to.equal('small')
      expectStatus(await bucket.store('a', tooLarge.subarray(1)), 202)
    },
  },
  {
    title: 'answers preflights',
    async run({ hub, reader }) {
      const headers = {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type,if-match,ucans',
      }
      for (const server of [hub, reader]) {
        const { status, headers: told } = await ask(server, 'OPTIONS', '/store/a/b', { headers })
        expect(status).to.equal(204)
        expect(told['access-control-allow-origin']).to.equal('*')
        expect(told['access-control-allow-headers']).to.match(/authorization.*if-match.*ucans/i)
      }
    },
  },
  {
    title: 'reads ranges, tells heads, and says when nothing is new',
    async run(running) {
      const bucket = new Bucket(running)
      await bucket.store('a', 'abcdef', { 'content-type': 'text/plain' })
      const part = await bucket.read('a', { range: 'bytes=1-2' })
      expect([part.status, part.body.toString(), part.headers['content-range']]).to.deep.equal([
        206,
        'bc',
        'bytes 1-2/6',
      ])
      const head = await bucket.read('a', {}, 'HEAD')
      expect([head.status, head.headers['content-length'], head.body.length]).to.deep.equal([200, '6', 0])
      const again = await bucket.read('a', { 'if-none-match': String(head.headers.etag) })
      expect([again.status, again.body.length]).to.deep.equal([304, 0])
      expectStatus(await bucket.read('a', { range: 'bytes=9-' }), 416)
    },
  },
  {
    title: 'lets a grant be used, and nothing else, until it is revoked',
    async run(running) {
      const bucket = new Bucket(running)
      const { owner } = bucket
      const asBob = { authorization: `bearer ${v1(bob)}` }
      expectStatus(await bucket.store('photos/a', 'x', asBob), 401)
      const ucan = delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')], { expiration: soon() })
      const granted = await bucket.post('grant', { ucan })
      expectStatus(granted, 201)
      expectStatus(await retried(() => bucket.store('photos/a', 'x', asBob), 202), 202)
      expectStatus(await retried(() => bucket.store('diary', 'x', asBob), 403), 403)
      expectStatus(await bucket.post('revoke', { cid: granted.json().cid }), 202)
      expectStatus(await retried(() => bucket.store('photos/a', 'y', asBob), 401), 401)
    },
  },
  {
    title: 'takes chains of delegations of as many bytes as may be',
    async run(running) {
      const bucket = new Bucket(running)
      const { owner } = bucket
      const capabilities = [can(owner, 'photos/', 'gaia/store')]
      // One for both: no token may outlive its proof.
      const expiration = soon()
      const padding = (length: number) => ({ facts: [{ padding: 'x'.repeat(length) }], expiration })
      const proof = delegate(owner, bob, capabilities, padding(6_800))
      const authorization = `Bearer ${invoke(bob, capabilities, { proofs: [proof], ...padding(900) })}`
      expect(authorization.length).to.be.within(14_000, 16_384)
      expectStatus(await bucket.store('photos/a', 'x', { authorization }), 202)
      const over = await bucket.store('photos/a', 'x', {
        authorization,
        ucans: `bafy: ${'y'.repeat(15_000)}`,
      })
      expect([over.status, over.json().code]).to.deep.equal([401, 'malformed'])
    },
  },
  {
    title: 'passes the smoke test',
    async run({ hub }) {
      const lines: string[] = []
      expect(await smoke({ hub, print: (line) => lines.push(line) }), lines.join('\n')).to.equal(true)
      expect(lines).to.have.lengthOf(8)
    },
  },
]

function soon(): number {
  return Math.floor(Date.now() / 1000) + 600
}

/** Where several processes serve, another one may have to hear of it first. */
async function retried(send: () => Promise<Answer>, status: number): Promise<Answer> {
  const endMs = Date.now() + 6_000
  for (;;) {
    const answer = await send()
    if (answer.status === status || Date.now() > endMs) return answer
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
