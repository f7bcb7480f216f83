import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { rejection } from '../../drivers/conformance/harness.ts'
import type { PresignedUpload, PresignUploadOptions } from '../../drivers/driver.ts'
import { holdsUploads, type UploadProbe } from '../../drivers/probe-uploads.ts'

/** What a storage may fail to hold an upload to. */
const flaws = [
  'size',
  'length that is not told',
  'type',
  'key',
  'method',
  'expiry',
  'create only',
  'version',
  'condition left out',
  'headers that were not signed',
  'the upload itself',
] as const
type Flaw = (typeof flaws)[number]

/** What stands for a signature here: everything that is signed, in the clear. */
interface Signed extends PresignUploadOptions {
  name: string
  expired: boolean
}

/** A storage that holds presigned uploads to all but one thing. */
class FlawedStorage {
  readonly objects = new Map<string, { bytes: Buffer; etag: string }>()
  /** Asked before anything else: a status to answer with, or `cut` to end the connection. */
  interfere: (req: IncomingMessage) => number | 'cut' | null = () => null
  /** Asked when all is done: whether the client hears that the storage has no time instead. */
  loseAnswer: (req: IncomingMessage) => boolean = () => false
  readonly #flaw: Flaw | null
  readonly #server: Server = createServer((req, res) => void this.#answer(req, res))
  #versions = 0

  constructor(flaw: Flaw | null) {
    this.#flaw = flaw
  }

  async start(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async stop(): Promise<void> {
    this.#server.close()
    await once(this.#server, 'close')
  }

  probe(): UploadProbe {
    return {
      write: async (name, bytes) => this.#put(name, Buffer.from(bytes)),
      read: async (name) => this.objects.get(name)?.bytes ?? null,
      delete: async (name) => void this.objects.delete(name),
      presign: async (name, options) => this.#presign({ ...options, name, expired: false }),
      presignExpired: async (name, options) => this.#presign({ ...options, name, expired: true }),
      harmful: (name) => ({ 'x-harm': name }),
    }
  }

  #presign(signed: Signed): PresignedUpload {
    const { port } = this.#server.address() as AddressInfo
    const { condition } = signed
    const conditions =
      condition === undefined
        ? {}
        : 'ifMatch' in condition
          ? { 'If-Match': condition.ifMatch }
          : { 'If-None-Match': '*' }
    const { name, ...rest } = signed
    return {
      method: 'PUT',
      url: `http://127.0.0.1:${port}/${name}?${encodeURIComponent(JSON.stringify({ ...rest, name: btoa(name) }))}`,
      headers: {
        'Content-Type': signed.contentType,
        'Content-Length': String(signed.size),
        ...conditions,
      },
      expiresMs: Date.now() + 60_000,
    }
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await buffer(req)
    const interference = this.interfere(req)
    if (interference === 'cut') return void req.socket.destroy()
    if (interference !== null) return void res.writeHead(interference).end()
    const { pathname, search } = new URL(req.url ?? '/', 'http://storage')
    const name = pathname.slice(1)
    const signed = JSON.parse(decodeURIComponent(search.slice(1))) as Signed
    const refused = this.#refusal(req, name, body, { ...signed, name: atob(signed.name) })
    if (refused === undefined && req.method === 'DELETE') this.objects.delete(name)
    else if (refused === undefined && this.#flaw !== 'the upload itself') {
      const source = this.objects.get(String(req.headers['x-harm']))
      this.#put(name, source?.bytes ?? body)
    }
    const status = refused === undefined ? 200 : refused === 'version' ? 412 : 403
    res.writeHead(this.loseAnswer(req) ? 503 : status).end()
  }

  /** What it is refused for. */
  #refusal(
    { method, headers }: IncomingMessage,
    name: string,
    body: Buffer,
    signed: Signed,
  ): Flaw | undefined {
    const current = this.objects.get(name)?.etag
    const isChunked = headers['transfer-encoding'] !== undefined
    const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers
    const { condition } = signed
    const sent = ifMatch ?? ifNoneMatch
    const asked = condition === undefined ? undefined : 'ifMatch' in condition ? condition.ifMatch : '*'
    const checks: [Flaw, boolean][] = [
      ['size', body.length !== signed.size && !isChunked],
      ['length that is not told', isChunked],
      ['type', headers['content-type'] !== signed.contentType],
      ['key', name !== signed.name],
      ['method', method !== 'PUT'],
      ['expiry', signed.expired],
      ['create only', ifNoneMatch !== undefined && current !== undefined],
      ['version', ifMatch !== undefined && ifMatch !== current],
      ['condition left out', sent === undefined && asked !== undefined],
      ['headers that were not signed', headers['x-harm'] !== undefined],
    ]
    return checks.find(([flaw, isBroken]) => isBroken && flaw !== this.#flaw)?.[0]
  }

  #put(name: string, bytes: Buffer): string {
    const etag = `v${++this.#versions}`
    this.objects.set(name, { bytes, etag })
    return etag
  }
}

describe('what a storage holds presigned uploads to', () => {
  const tried = async (
    flaw: Flaw | null,
    interfere: FlawedStorage['interfere'] = () => null,
    loseAnswer: FlawedStorage['loseAnswer'] = () => false,
  ): Promise<boolean> => {
    const storage = new FlawedStorage(flaw)
    storage.interfere = interfere
    storage.loseAnswer = loseAnswer
    await storage.start()
    try {
      const holds = await holdsUploads(storage.probe())
      expect([...storage.objects.keys()]).to.deep.equal([])
      return holds
    } finally {
      await storage.stop()
    }
  }

  it('is enough where it is everything', async () => {
    expect(await tried(null)).to.equal(true)
  })

  for (const flaw of flaws) {
    it(`is not enough without the ${flaw.replace(/^the /, '')}`, async () => {
      expect(await tried(flaw)).to.equal(false)
    })
  }

  for (const interference of [408, 429, 500, 503, 'cut'] as const) {
    it(`is known though each request meets with ${interference} at first`, async () => {
      const seen = new Set<string>()
      const once = (req: IncomingMessage) => {
        const name = JSON.stringify([req.method, req.url, req.headers])
        return seen.size < seen.add(name).size ? interference : null
      }
      expect(await tried(null, once)).to.equal(true)
      expect(await tried('headers that were not signed', once)).to.equal(false)
    }).timeout(20_000)
  }

  it('is known though the answers to what was done get lost', async () => {
    const seen = new Set<string>()
    const after = (req: IncomingMessage) => {
      const name = JSON.stringify([req.method, req.url, req.headers])
      return seen.size < seen.add(name).size
    }
    expect(await tried(null, () => null, after)).to.equal(true)
    expect(await tried('version', () => null, after)).to.equal(false)
    expect(await tried('the upload itself', () => null, after)).to.equal(false)
  }).timeout(20_000)

  it('is not known of a storage that is busy all the time when it is asked for harm', async () => {
    const failure = await rejection(
      tried('headers that were not signed', ({ headers }) => (headers['x-harm'] === undefined ? null : 503)),
    )
    expect(failure).to.include({ code: 'unavailable' })
  }).timeout(20_000)

  it('is not known of a storage that is busy all the time when it is asked for what was signed', async () => {
    expect(await rejection(tried(null, () => 503))).to.include({ code: 'unavailable' })
  }).timeout(20_000)

  it('is not enough where what was signed is not implemented', async () => {
    expect(await tried(null, () => 501)).to.equal(false)
  })
})
