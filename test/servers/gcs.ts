import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { parseDescribed, parseJson, parseMultipart } from './gcs-multipart.ts'
import { Refusal, refuse } from './gcs-refusal.ts'
import { type Accounts, checkLengthRange, checkSignature, isSigned, refuseInXml } from './gcs-signatures.ts'
import { type Described, GcsStore, type StoredObject } from './gcs-store.ts'
import { GcsUploads, type Progress } from './gcs-uploads.ts'

/**
 * What goes wrong with one request:
 * - `cut`: the connection ends before anything is done;
 * - `short`: the connection ends when half of the body has come;
 * - `lose`: it is done, and the connection ends before it is answered;
 * - `half`: the connection ends half way through the answer;
 * - `whole`: a range is answered with everything;
 * - `stall`: nothing is answered, ever;
 * - a number: this status, and nothing done.
 */
export type Fault = 'cut' | 'short' | 'lose' | 'half' | 'whole' | 'stall' | number

export interface GcsServerOptions {
  /** Answers 401 where this says no to the value of `Authorization`. */
  authorize?: (authorization: string | undefined) => boolean
  /** Whose signed URLs are taken; those of nobody unless said otherwise. */
  accounts?: Accounts
  /** Takes signed URLs without a look at who signed what, as emulators do. */
  ignoreSignatures?: boolean
  /** Takes every write whatever its conditions, as some emulators do. */
  ignoreConditions?: boolean
  /**
   * Says no more than Google's own test bench does: lists are whole and in no order, the head of a download tells
   * the generation only, errors have words of their own, and copies are made one MiB a call.
   */
  isTerse?: boolean
}

export interface GcsServer {
  /** For `apiEndpoint`. */
  readonly url: string
  readonly store: GcsStore
  readonly uploads: GcsUploads
  /** `<method> <path and query>` of each request since the server began. */
  readonly requests: string[]
  /** Asked before each request is dealt with; `null` is none. */
  fault: (request: string) => Fault | null
  /** Where uploads are sent to, if not here. */
  elsewhere: string | null
  /** How many there are just now. */
  connections(): Promise<number>
  stop(): Promise<void>
}

/**
 * Google's storage, as far as the JSON API is used here: buckets; objects by media, multipart and resumable
 * upload; get, list, patch, delete, copy, rewrite and compose; conditions by generation. Of the XML API, get and put by
 * signed URLs. In memory, on the loopback.
 */
export async function startGcsServer(options: GcsServerOptions = {}): Promise<GcsServer> {
  const store = new GcsStore(options)
  const uploads = new GcsUploads(store)
  const http = createServer((req, res) => void new Exchange(server, options, req, res).run())
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const server: GcsServer = {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    store,
    uploads,
    requests: [],
    fault: () => null,
    elsewhere: null,
    connections: () => promisify(http.getConnections.bind(http))(),
    async stop() {
      http.closeAllConnections()
      http.close()
      await once(http, 'close')
    },
  }
  return server
}

/** One request and its answer. */
class Exchange {
  readonly #server: GcsServer
  readonly #options: GcsServerOptions
  readonly #req: IncomingMessage
  readonly #res: ServerResponse
  readonly #url: URL
  /** Of the path, each decoded: a name stands in one of them, its slashes escaped. */
  readonly #segments: string[]
  #body: Buffer = Buffer.alloc(0)

  constructor(server: GcsServer, options: GcsServerOptions, req: IncomingMessage, res: ServerResponse) {
    this.#server = server
    this.#options = options
    this.#req = req
    this.#res = res
    this.#url = new URL(req.url ?? '/', 'http://storage')
    this.#segments = (req.url ?? '').split('?', 1).join('').split('/').slice(1).map(decodeURIComponent)
  }

  async run(): Promise<void> {
    const request = `${this.#req.method} ${this.#req.url}`
    this.#server.requests.push(request)
    const fault = this.#server.fault(request)
    if (fault === 'cut') {
      this.#req.socket.destroy()
      return
    }
    const whole = (await this.#readBody()) && fault !== 'short'
    if (fault === 'short') this.#body = this.#body.subarray(0, this.#body.length / 2)
    if (fault === 'stall') return
    if (fault === 'whole') delete this.#req.headers.range
    try {
      if (typeof fault === 'number') throw new Refusal(fault, 'backendError', 'We encountered an error.')
      const send = isSigned(this.#query) ? this.#signed(whole) : this.#dispatchAuthorized(whole)
      if (fault === 'lose' || fault === 'short') this.#req.socket.destroy()
      else send(fault === 'half')
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const isTerse = this.#options.isTerse === true
      const told = isTerse ? new Refusal(error.status, 'x', 'It is not so.', error.notModified) : error
      if (isSigned(this.#query)) refuseInXml(this.#res, error)
      else if (told.notModified && this.#req.method === 'GET') this.#res.writeHead(304).end()
      else refuse(this.#res, told, this.#query.get('alt') === 'media')
    }
  }

  get #query(): URLSearchParams {
    return this.#url.searchParams
  }

  async #readBody(): Promise<boolean> {
    const pieces: Buffer[] = []
    try {
      for await (const piece of this.#req) pieces.push(piece as Buffer)
      return true
    } catch {
      return false
    } finally {
      this.#body = Buffer.concat(pieces)
    }
  }

  #authorize(): void {
    const { authorize } = this.#options
    if (authorize === undefined || authorize(this.#req.headers.authorization)) return
    throw new Refusal(401, 'authError', 'Invalid Credentials')
  }

  #dispatchAuthorized(whole: boolean): (half: boolean) => void {
    this.#authorize()
    return this.#dispatch(whole)
  }

  /** `/<bucket>/<name>` of the XML API. */
  #signed(whole: boolean): (half: boolean) => void {
    const { accounts = new Map(), ignoreSignatures = false } = this.#options
    if (!ignoreSignatures) checkSignature(this.#req, accounts, Date.now())
    if (!whole) throw new Refusal(400, 'IncompleteBody', 'The request has no end.')
    const [bucket = '', ...segments] = this.#segments
    const name = segments.join('/')
    if (this.#req.method === 'PUT') return this.#put(bucket, name)
    if (this.#req.method !== 'GET') throw new Refusal(405, 'MethodNotAllowed', 'Not allowed.')
    const pinned = ['content-type', 'content-disposition'].flatMap((header) => {
      const value = this.#query.get(`response-${header}`)
      return value === null ? [] : [[header, value]]
    })
    return this.#media([bucket, 'o', name], Object.fromEntries(pinned))
  }

  #put(bucket: string, name: string): (half: boolean) => void {
    const { headers } = this.#req
    checkLengthRange(headers['x-goog-content-length-range'], this.#body.length)
    if (headers['x-goog-copy-source'] !== undefined) throw new Refusal(501, 'NotImplemented', 'Not here.')
    const { 'content-type': contentType, 'cache-control': cacheControl } = headers
    const described = {
      ...(contentType === undefined ? {} : { contentType }),
      ...(cacheControl === undefined ? {} : { cacheControl }),
    }
    const wanted = headers['x-goog-if-generation-match']
    const query = new URLSearchParams(wanted === undefined ? {} : { ifGenerationMatch: String(wanted) })
    const { generation, md5Hash } = this.#server.store.insert(bucket, name, this.#body, described, query)
    const etag = Buffer.from(md5Hash, 'base64').toString('hex')
    return this.#nothing(200, { ETag: `"${etag}"`, 'X-Goog-Generation': String(generation) })
  }

  /** Does what is asked and returns what sends the answer. */
  #dispatch(whole: boolean): (half: boolean) => void {
    const [service, version, b] = this.#segments
    if (service === 'upload' && version === 'storage') return this.#upload(whole)
    if (!whole) throw new Refusal(400, 'badRequest', 'The request has no end.')
    if (service === 'download' && version === 'storage') return this.#media(this.#segments.slice(4))
    if (service === 'storage' && version === 'v1' && b === 'b') return this.#api(this.#segments.slice(3))
    if (this.#segments.length >= 2 && this.#req.method === 'GET') {
      const [bucket = '', ...name] = this.#segments
      return this.#media([bucket, 'o', name.join('/')])
    }
    throw new Refusal(404, 'notFound', 'Not Found')
  }

  /** @param path what follows `/storage/v1/b/` */
  #api(path: string[]): (half: boolean) => void {
    const { store } = this.#server
    const [bucket = '', , name = '', action] = path
    switch (`${this.#req.method} ${shapeOf(path)}`) {
      case 'POST ':
        return this.#createBucket()
      case 'GET b':
        store.bucket(bucket)
        return this.#json({ kind: 'storage#bucket', id: bucket, name: bucket, location: 'US' })
      case 'DELETE b':
        store.deleteBucket(bucket)
        return this.#nothing()
      case 'GET b/o':
        return this.#list(bucket)
      case 'GET b/o/name':
        return this.#query.get('alt') === 'media' ? this.#media(path) : this.#describe(bucket, name)
      case 'DELETE b/o/name':
        store.delete(bucket, name, this.#query)
        return this.#nothing()
      case 'PATCH b/o/name': {
        const change = parseJson(this.#body) as Record<string, unknown>
        return this.#resource(bucket, store.patch(bucket, name, change, this.#query))
      }
      case 'POST b/o/name/action/b/name/o/name':
        return this.#copy(bucket, name, path[5] ?? '', path[7] ?? '', action === 'rewriteTo')
      case 'POST b/o/name/action':
        return this.#compose(bucket, name)
      default:
        throw new Refusal(404, 'notFound', 'Not Found')
    }
  }

  #createBucket(): (half: boolean) => void {
    if (!this.#query.has('project')) throw new Refusal(400, 'required', 'Required parameter: project')
    const { name = '' } = parseDescribed(this.#body)
    this.#server.store.createBucket(name)
    return this.#json({ kind: 'storage#bucket', id: name, name, location: 'US' })
  }

  #describe(bucket: string, name: string): (half: boolean) => void {
    const object = this.#server.store.object(bucket, name, this.#query.get('generation'))
    this.#server.store.checkConditions(this.#query, object)
    return this.#resource(bucket, object)
  }

  #list(bucket: string): (half: boolean) => void {
    const text = (name: string) => this.#query.get(name) ?? ''
    const pageToken = this.#query.get('pageToken')
    const isTerse = this.#options.isTerse ?? false
    const maxResults = isTerse ? Number.POSITIVE_INFINITY : Number(this.#query.get('maxResults') ?? 1000)
    const { items, prefixes, next } = this.#server.store.list(bucket, {
      prefix: text('prefix'),
      delimiter: text('delimiter'),
      startOffset: text('startOffset'),
      endOffset: text('endOffset'),
      ...(pageToken === null ? {} : { pageToken }),
      maxResults: isTerse ? maxResults : Math.min(1000, maxResults),
    })
    if (isTerse) {
      items.reverse()
      prefixes.reverse()
    }
    return this.#json({
      kind: 'storage#objects',
      ...(next === null ? {} : { nextPageToken: next }),
      ...(prefixes.length === 0 ? {} : { prefixes }),
      ...(items.length === 0 ? {} : { items: items.map((object) => resourceOf(bucket, object)) }),
    })
  }

  #copy(
    from: string,
    fromName: string,
    to: string,
    toName: string,
    rewrite: boolean,
  ): (half: boolean) => void {
    const { store } = this.#server
    const source = store.object(from, fromName, this.#query.get('sourceGeneration'))
    store.checkConditions(this.#query, source, 'ifSource')
    const described = { ...source.described, ...parseDescribed(this.#body) }
    const bytes = this.#options.isTerse === true ? this.#copyOn(source.bytes) : source.bytes
    if (bytes.length < source.bytes.length) {
      const rewriteToken = randomUUID()
      store.rewrites.set(rewriteToken, bytes)
      return this.#json({ done: false, rewriteToken })
    }
    const object = store.insert(to, toName, bytes, described, this.#query)
    if (!rewrite) return this.#resource(to, object)
    return this.#json({
      kind: 'storage#rewriteResponse',
      totalBytesRewritten: String(object.bytes.length),
      objectSize: String(object.bytes.length),
      done: true,
      resource: resourceOf(to, object),
    })
  }

  /** One MiB more of the source as it is now: of another version, maybe, than what was copied before. */
  #copyOn(source: Buffer): Buffer {
    const before = this.#server.store.rewrites.get(this.#query.get('rewriteToken') ?? '') ?? Buffer.alloc(0)
    return Buffer.concat([before, source.subarray(before.length, before.length + 1024 * 1024)])
  }

  #compose(bucket: string, name: string): (half: boolean) => void {
    const { sourceObjects = [], destination = {} } = parseJson(this.#body) as {
      sourceObjects?: { name: string; generation?: string }[]
      destination?: Described
    }
    const parts = sourceObjects.map(
      (part) => this.#server.store.object(bucket, part.name, part.generation).bytes,
    )
    return this.#insert(bucket, name, Buffer.concat(parts), destination)
  }

  /** `/upload/storage/v1/b/<bucket>/o` */
  #upload(whole: boolean): (half: boolean) => void {
    const bucket = this.#segments[4] ?? ''
    const id = this.#query.get('upload_id')
    if (id !== null) return this.#session(id, whole)
    if (!whole) throw new Refusal(400, 'badRequest', 'The request has no end.')
    if (this.#req.method !== 'POST') throw new Refusal(404, 'notFound', 'Not Found')
    const contentType = this.#req.headers['content-type']
    const named = this.#query.get('name')
    switch (this.#query.get('uploadType') ?? 'none') {
      case 'media': {
        const described = contentType === undefined ? {} : { contentType }
        return this.#insert(bucket, named ?? '', this.#body, described)
      }
      case 'multipart': {
        const { described, bytes } = parseMultipart(contentType ?? '', this.#body)
        return this.#insert(bucket, named ?? described.name ?? '', bytes, described)
      }
      case 'resumable':
        return this.#startUpload(bucket, parseDescribed(this.#body))
      default:
        throw new Refusal(400, 'invalid', 'Invalid upload type')
    }
  }

  #insert(bucket: string, name: string, bytes: Buffer, described: Described): (half: boolean) => void {
    return this.#resource(
      bucket,
      this.#server.store.insert(bucket, name, bytes, described, new URLSearchParams(this.#query)),
    )
  }

  #startUpload(bucket: string, described: Described): (half: boolean) => void {
    const type = this.#req.headers['x-upload-content-type']
    const name = this.#query.get('name') ?? described.name ?? ''
    const known = typeof type === 'string' ? { contentType: type, ...described } : described
    const id = this.#server.uploads.start(bucket, name, known, new URLSearchParams(this.#query))
    const path = `/upload/storage/v1/b/${bucket}/o?uploadType=resumable&upload_id=${id}`
    return this.#nothing(200, { Location: (this.#server.elsewhere ?? this.#server.url) + path })
  }

  #session(id: string, whole: boolean): (half: boolean) => void {
    if (this.#req.method === 'DELETE') {
      this.#server.uploads.cancel(id)
      return this.#nothing(499)
    }
    const range = this.#req.headers['content-range']
    const progress: Progress = this.#server.uploads.take(id, range, this.#body, whole, this.#hashes())
    if ('done' in progress) return this.#resource(this.#segments[4] ?? '', progress.done)
    return this.#nothing(308, progress.kept === 0 ? {} : { Range: `bytes=0-${progress.kept - 1}` })
  }

  /** `X-Goog-Hash: crc32c=…,md5=…` with the last bytes of an upload. */
  #hashes(): Described {
    const header = String(this.#req.headers['x-goog-hash'] ?? '')
    const found: Described = {}
    for (const hash of header.split(',')) {
      if (hash.startsWith('md5=')) found.md5Hash = hash.slice(4)
      if (hash.startsWith('crc32c=')) found.crc32c = hash.slice(7)
    }
    return found
  }

  /**
   * @param path `<bucket>/o/<name>`
   * @param pinned headers in place of those of the object
   */
  #media([bucket = '', , name = '']: string[], pinned: Record<string, string> = {}): (half: boolean) => void {
    const object = this.#server.store.object(bucket, name, this.#query.get('generation'))
    this.#server.store.checkConditions(this.#query, object)
    const size = object.bytes.length
    const encodings = String(this.#req.headers['accept-encoding'] ?? '')
    if (object.described.contentEncoding === 'gzip' && !encodings.includes('gzip')) {
      return this.#unpacked(object)
    }
    const range = rangeOf(this.#req.headers.range, size)
    if (range === 'none') {
      throw Object.assign(new Refusal(416, 'requestedRangeNotSatisfiable', 'Request range not satisfiable'))
    }
    const bytes = range === null ? object.bytes : object.bytes.subarray(range.first, range.last + 1)
    return (half) => {
      this.#res.writeHead(range === null ? 200 : 206, {
        ...withPinned(this.#options.isTerse === true ? terseHeaders(object) : mediaHeaders(object), pinned),
        'Content-Length': bytes.length,
        ...(range === null ? {} : { 'Content-Range': `bytes ${range.first}-${range.last}/${size}` }),
      })
      if (!half) this.#res.end(bytes)
      else this.#res.write(bytes.subarray(0, bytes.length / 2), () => this.#req.socket.destroy())
    }
  }

  /** What was stored compressed is unpacked for whoever does not take it so, and has no ranges then. */
  #unpacked(object: StoredObject): (half: boolean) => void {
    const { 'Content-Encoding': _, ...headers } = mediaHeaders(object)
    return () => this.#res.writeHead(200, headers).end(gunzipSync(object.bytes))
  }

  #resource(bucket: string, object: StoredObject): (half: boolean) => void {
    return this.#json(resourceOf(bucket, object))
  }

  #json(value: unknown): (half: boolean) => void {
    const text = JSON.stringify(value)
    return (half) => {
      this.#res.writeHead(200, {
        'Content-Type': 'application/json; charset=UTF-8',
        'Content-Length': Buffer.byteLength(text),
      })
      if (!half) this.#res.end(text)
      else this.#res.write(text.slice(0, text.length / 2), () => this.#req.socket.destroy())
    }
  }

  #nothing(status = 204, headers: Record<string, string> = {}): (half: boolean) => void {
    return () => {
      this.#res.writeHead(status, { ...headers, ...(status === 204 ? {} : { 'Content-Length': 0 }) }).end()
    }
  }
}

/** `b/o/name` and the like: what stands where in a path below `/storage/v1/b/`. */
function shapeOf(path: readonly string[]): string {
  const names = ['b', 'o', 'name', 'action', 'b', 'name', 'o', 'name']
  return path.map((_, i) => names[i] ?? '?').join('/')
}

function resourceOf(bucket: string, object: StoredObject): Record<string, unknown> {
  const { name, generation, metageneration, described, bytes, md5Hash, crc32c, createdMs, updatedMs } = object
  const created = new Date(createdMs).toISOString()
  return {
    kind: 'storage#object',
    id: `${bucket}/${name}/${generation}`,
    name,
    bucket,
    generation: String(generation),
    metageneration: String(metageneration),
    ...described,
    storageClass: 'STANDARD',
    size: String(bytes.length),
    md5Hash,
    crc32c,
    etag: Buffer.from(`${generation}/${metageneration}`).toString('base64'),
    timeCreated: created,
    updated: new Date(updatedMs).toISOString(),
    timeStorageClassUpdated: created,
  }
}

function mediaHeaders(object: StoredObject): Record<string, string> {
  const { contentType = 'application/octet-stream', contentEncoding, cacheControl } = object.described
  return {
    // What is not ASCII goes out as UTF-8; a header is written as Latin-1.
    'Content-Type': Buffer.from(contentType).toString('latin1'),
    ...(contentEncoding === undefined ? {} : { 'Content-Encoding': contentEncoding }),
    'Cache-Control': cacheControl ?? 'no-cache, no-store, max-age=0, must-revalidate',
    'Last-Modified': new Date(object.updatedMs).toUTCString(),
    ETag: `"${object.md5Hash}"`,
    'Accept-Ranges': 'bytes',
    'X-Goog-Generation': String(object.generation),
    'X-Goog-Metageneration': String(object.metageneration),
    'X-Goog-Hash': `crc32c=${object.crc32c},md5=${object.md5Hash}`,
    'X-Goog-Storage-Class': 'STANDARD',
    'X-Goog-Stored-Content-Encoding': contentEncoding ?? 'identity',
    'X-Goog-Stored-Content-Length': String(object.bytes.length),
  }
}

function withPinned(headers: Record<string, string>, pinned: Record<string, string>): Record<string, string> {
  const rest = Object.entries(headers).filter(([name]) => pinned[name.toLowerCase()] === undefined)
  return { ...Object.fromEntries(rest), ...pinned }
}

function terseHeaders(object: StoredObject): Record<string, string> {
  return { 'Content-Type': 'text/html; charset=utf-8', 'X-Goog-Generation': String(object.generation) }
}

/** One range of bytes (RFC 9110, 14.1.2); `null` for the whole, `none` where it cannot be satisfied. */
function rangeOf(header: string | undefined, size: number): { first: number; last: number } | null | 'none' {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null || match[0] === 'bytes=-') return null
  const [, from = '', to = ''] = match
  const first = from === '' ? Math.max(0, size - Number(to)) : Number(from)
  const last = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1)
  return first >= size || last < first ? 'none' : { first, last }
}
