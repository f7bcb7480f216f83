import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { expect } from 'chai'
import pino from 'pino'
import { DriverError } from '../../drivers/errors.ts'
import { fileKey, parseAddress, parsePath } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { peers } from '../../http/peer.ts'
import { type ServerLimits, startServer } from '../../http/server.ts'
import { hubApp } from '../../hub/app.ts'
import { hubDocument } from '../../hub/openapi/index.ts'
import { type ReaderOptions, readerApp } from '../../reader/app.ts'
import { readerDocument } from '../../reader/openapi.ts'
import { delegate, newOwner, v1, bob as writer } from '../delegation/people.ts'
import { type DriverCall, type FaultyDriver, faultyDriver, gate } from '../hub/faulty-driver.ts'
import { fakeClock, type HubOverrides, startHub } from '../hub/harness.ts'
import { openRaw } from '../hub/raw.ts'
import { can, testNow } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'

interface Operation {
  operationId: string
  responses: Record<string, { content?: Record<string, Content>; headers?: Record<string, unknown> }>
  requestBody?: { content: Record<string, Content> }
}
interface Content {
  schema: Record<string, unknown>
  example?: unknown
  examples?: Record<string, { value: unknown }>
}
interface Document {
  paths: Record<string, Record<string, Operation>>
  components: Record<string, unknown>
}

/** A request as the table below has it; `{address}` stands for the owner's. */
interface Ask {
  method?: string
  target?: string
  headers?: Record<string, string>
  body?: unknown
  /** Who signs; the owner unless told, nobody for `null`. */
  by?: Persona | null
  claims?: Record<string, unknown>
}

/** What makes an operation answer with a status. */
interface Row {
  operation: string
  status: number
  ask?: Ask
  /** What is done at the hub before. */
  before?: (stage: Stage) => Promise<unknown>
  /** In place of the driver's. */
  check?: () => Promise<void>
  hub?: HubOverrides
  reader?: Partial<ReaderOptions>
  limits?: Partial<ServerLimits>
  /** In place of sending `ask`. */
  run?: Run
}

type Run = (stage: Stage, ask: Required<Pick<Ask, 'method' | 'target'>> & Ask) => Promise<Told>

interface Told {
  status: number
  type: string | null
  text: string
  header(name: string): string | null
}

/** One server, and what is around it. */
interface Stage {
  url: string
  port: number
  driver: FaultyDriver
  owner: Persona
  /** A request that waits for the storage to be read. */
  hanging: Ask
  send(ask: Ask): Promise<Told>
}

const hubPaths = asDocument(hubDocument)
const readerPaths = asDocument(readerDocument('/'))

/** A request that the operation answers with success. */
const asks: Record<string, Ask> = {
  hubInfo: { target: '/hub_info' },
  store: { method: 'POST', target: '/store/{address}/a/b.txt', body: 'x' },
  upload: { method: 'POST', target: '/upload/{address}/a/b.txt', body: { size: 1, contentType: 'a/b' } },
  delete: { method: 'DELETE', target: '/delete/{address}/a/b.txt' },
  listFiles: { method: 'POST', target: '/list-files/{address}', body: { page: null, stat: true } },
  revokeAll: { method: 'POST', target: '/revoke-all/{address}', body: { oldestValidTimestamp: 1 } },
  grant: { method: 'POST', target: '/grant/{address}' },
  listGrants: { method: 'POST', target: '/list-grants/{address}', body: {} },
  revoke: { method: 'POST', target: '/revoke/{address}' },
  read: { target: '/{address}/a/b.txt', by: null },
  stat: { method: 'HEAD', target: '/{address}/a/b.txt', by: null },
  healthz: { target: '/healthz', by: null },
  readyz: { target: '/readyz', by: null },
  openapi: { target: '/openapi.json', by: null },
  docs: { target: '/docs', by: null },
  hubInfoHead: { method: 'HEAD', target: '/hub_info', by: null },
  healthzHead: { method: 'HEAD', target: '/healthz', by: null },
  readyzHead: { method: 'HEAD', target: '/readyz', by: null },
  openapiHead: { method: 'HEAD', target: '/openapi.json', by: null },
  docsHead: { method: 'HEAD', target: '/docs', by: null },
}

/** Operations that need the storage, with a call that each of them makes. */
const calls: Record<string, DriverCall> = {
  store: 'write',
  upload: 'read',
  delete: 'delete',
  listFiles: 'list',
  revokeAll: 'write',
  grant: 'write',
  listGrants: 'list',
  revoke: 'write',
  read: 'read',
  stat: 'stat',
}

const put = ({ driver, owner }: Stage) =>
  driver.write(
    fileKey(parseAddress(owner.address), parsePath('a/b.txt')),
    Readable.from([Buffer.from('x')]),
    {
      contentType: 'text/plain',
    },
  )
const grantBody = ({ owner }: Stage) => ({
  ucan: delegate(owner, writer, [can(owner, 'a/', 'gaia/store')]),
})
const deposit = (stage: Stage) => stage.send({ ...asks.grant, body: grantBody(stage) })
const withBody =
  (bodyOf: (stage: Stage) => unknown): Run =>
  (stage, ask) =>
    stage.send({ ...ask, body: bodyOf(stage) })
const sendTwice: Run = async (stage, ask) => {
  await stage.send(ask)
  return stage.send(ask)
}

/** A write of the owner's that waits at the path until the answer is there. */
const whileWriting: Run = async (stage, ask) => {
  const other = openRaw(stage.port)
  try {
    const target = `/store/${stage.owner.address}/a/b.txt`
    other.write(`POST ${target} HTTP/1.1\r\nHost: x\r\nAuthorization: bearer ${v1(stage.owner)}\r\n`)
    other.write('Content-Length: 5\r\n\r\nab')
    for (let attempt = 0; attempt < 100; attempt++) {
      const told = await stage.send(ask)
      if (told.status === 409) return told
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error('the other write never began')
  } finally {
    other.reset()
  }
}

/** A hub whose storage presigns. */
function presigning(more: HubOverrides = {}): HubOverrides {
  const driver = {
    ...faultyDriver(memoryDriver()),
    capabilities: { atomicConditions: true, atomicDeletes: true, presign: true, range: true },
    presign: {
      readUrl: async () => 'https://storage.example/',
      uploads: {
        maxBytes: 1_000_000,
        presign: async () => ({
          method: 'PUT' as const,
          url: 'https://storage.example/a/b.txt?signature',
          headers: { 'Content-Length': '1' },
          expiresMs: testNow * 1000,
        }),
      },
    },
  }
  return { driver, directUpload: { thresholdBytes: 1, lifetimeSeconds: 60 }, ...more }
}

const large = 'x'.repeat(70_000)
/** An address that is none is refused as a path is. */
const badAddress = 'a'.repeat(200)

const hubRows: Row[] = [
  { operation: 'hubInfo', status: 200 },
  { operation: 'hubInfoHead', status: 200 },
  { operation: 'store', status: 202 },
  { operation: 'store', status: 400, ask: { headers: { 'Content-Type': 'x'.repeat(1025) } } },
  { operation: 'store', status: 402, hub: { proofsRequired: 1 } },
  { operation: 'store', status: 403, ask: { target: '/store/{address}/a//b.txt' } },
  { operation: 'store', status: 404, ask: { target: '/store/{address}-auth/authTimestamp' } },
  { operation: 'store', status: 409, run: whileWriting },
  { operation: 'store', status: 412, ask: { headers: { 'If-None-Match': '*' } }, before: put },
  { operation: 'store', status: 413, ask: { body: 'x'.repeat(1024 * 1024 + 1) } },
  { operation: 'upload', status: 200, hub: presigning() },
  { operation: 'upload', status: 400, ask: { body: { size: -1 } } },
  { operation: 'upload', status: 402, hub: presigning({ proofsRequired: 1 }) },
  { operation: 'upload', status: 403, ask: { target: '/upload/{address}/a//b.txt' } },
  { operation: 'upload', status: 404, ask: { target: '/upload/{address}-auth/authTimestamp' } },
  { operation: 'upload', status: 409, hub: presigning(), run: whileWriting },
  { operation: 'upload', status: 412, ask: { headers: { 'If-None-Match': '"x"' } } },
  { operation: 'upload', status: 413, ask: { body: { size: 1024 * 1024 + 1 } } },
  { operation: 'upload', status: 501 },
  { operation: 'delete', status: 202, before: put },
  { operation: 'delete', status: 403, ask: { target: '/delete/{address}/a//b.txt' } },
  { operation: 'delete', status: 404 },
  { operation: 'delete', status: 409, run: whileWriting },
  { operation: 'delete', status: 412, ask: { headers: { 'If-Match': '"other"' } }, before: put },
  { operation: 'listFiles', status: 202, before: put },
  { operation: 'listFiles', status: 400, ask: { body: { page: 7 } } },
  { operation: 'listFiles', status: 403, ask: { target: `/list-files/${badAddress}` } },
  { operation: 'listFiles', status: 413, ask: { body: { page: large } } },
  { operation: 'revokeAll', status: 202 },
  { operation: 'revokeAll', status: 400, ask: { body: {} } },
  { operation: 'revokeAll', status: 403, ask: { target: `/revoke-all/${badAddress}` } },
  {
    operation: 'revokeAll',
    status: 409,
    before: async ({ driver }) =>
      driver.inject('write', () => {
        throw new DriverError('precondition_failed', 'another version is there')
      }),
  },
  { operation: 'revokeAll', status: 413, ask: { body: { oldestValidTimestamp: large } } },
  { operation: 'grant', status: 201, run: withBody(grantBody) },
  { operation: 'grant', status: 200, before: deposit, run: withBody(grantBody) },
  { operation: 'grant', status: 400, ask: { body: {} } },
  { operation: 'grant', status: 403, ask: { target: `/grant/${badAddress}` } },
  { operation: 'grant', status: 413, ask: { body: { ucan: large } } },
  { operation: 'listGrants', status: 202, before: deposit },
  { operation: 'listGrants', status: 400, ask: { body: { page: 'x' } } },
  { operation: 'listGrants', status: 403, ask: { target: `/list-grants/${badAddress}` } },
  { operation: 'listGrants', status: 413, ask: { body: { audience: large } } },
  { operation: 'revoke', status: 202, run: withBody(grantBody) },
  { operation: 'revoke', status: 400, ask: { body: { cid: 7 } } },
  { operation: 'revoke', status: 403, ask: { target: `/revoke/${badAddress}` } },
  { operation: 'revoke', status: 404, ask: { body: { cid: 'bafkrei' } } },
  { operation: 'revoke', status: 413, ask: { body: { ucan: large } } },
]

const readerRows: Row[] = [
  { operation: 'read', status: 206, before: put, ask: { headers: { Range: 'bytes=0-0' } } },
  {
    operation: 'read',
    status: 302,
    before: put,
    reader: { redirect: { to: 'public', baseUrl: 'https://files.example/', thresholdBytes: 0 } },
  },
  { operation: 'read', status: 416, before: put, ask: { headers: { Range: 'bytes=7-' } } },
  ...['read', 'stat'].flatMap((operation): Row[] => [
    { operation, status: 200, before: put },
    { operation, status: 304, before: put, ask: { headers: { 'If-None-Match': '*' } } },
    { operation, status: 404 },
    { operation, status: 412, before: put, ask: { headers: { 'If-Match': '"other"' } } },
  ]),
]

/** What goes wrong anywhere, for every operation. */
function faultRows(operation: string): Row[] {
  const call = calls[operation]
  const faults = [
    ['bad_gateway', 502, () => new DriverError('backend', 'no rights')],
    ['unavailable', 503, () => new DriverError('unavailable', 'no answer')],
    ['server_error', 500, () => new Error('nobody foresaw this')],
  ] as const
  const ofStorage = faults.map(
    ([, status, fault]): Row => ({
      operation,
      status,
      before: async (stage) => {
        await put(stage)
        if (call === undefined) throw new Error(`${operation} asks no storage`)
        stage.driver.inject(call, () => {
          throw fault()
        })
      },
      ...(operation === 'grant' || operation === 'revoke' ? { run: withBody(grantBody) } : {}),
    }),
  )
  const perMinute = { peerLimit: { perMinute: 1, peers: peers([]) } }
  return [
    { operation, status: 400, run: unknownExpectation },
    { operation, status: 408, limits: { headersTimeoutMs: 50, checkIntervalMs: 20 }, run: halfAHead },
    { operation, status: 429, hub: perMinute, reader: perMinute, run: sendTwice },
    { operation, status: 431, ask: { headers: { 'x-long': 'x'.repeat(40_000) } } },
    { operation, status: 503, limits: { maxRequests: 1 }, run: whileFull },
    ...(call === undefined ? [] : ofStorage),
  ]
}

/** Where a credential is needed. */
function credentialRows(operation: string): Row[] {
  return [
    { operation, status: 401, ask: { by: null, body: {} } },
    { operation, status: 401, ask: { claims: { exp: 1 }, body: {} } },
  ]
}

/** What `fetch` does not send. */
const unknownExpectation: Run = async ({ port }, { method, target }) => {
  const req = request({ port, method, path: target, headers: { Expect: 'wonders' }, agent: false }).end()
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  const { statusCode = 0, headers } = res
  return {
    status: statusCode,
    type: headers['content-type'] ?? null,
    text: await text(res),
    header: (name) => res.headers[name.toLowerCase()]?.toString() ?? null,
  }
}

const halfAHead: Run = async ({ port }, { method, target }) => {
  const connection = openRaw(port)
  connection.write(`${method} ${target} HTTP/1.1\r\nHost: x\r\n`)
  const { status, headers, body } = await connection.answer
  connection.socket.destroy()
  return {
    status,
    type: headers['content-type'] ?? null,
    text: body,
    header: (name) => headers[name] ?? null,
  }
}

/** Another request, which the storage never answers, takes the only place. */
const whileFull: Run = async (stage, ask) => {
  const slow = gate()
  const lift = stage.driver.inject('read', slow.fault)
  const other = stage.send(stage.hanging)
  await slow.reached
  const told = await stage.send(ask)
  lift()
  slow.open()
  await other
  return told
}

type StartStage = (row: Row) => Promise<{ stage: Stage; close: () => Promise<void> }>

const startHubStage: StartStage = async ({ hub = {}, limits = {}, check }) => {
  const driver = withCheck(faultyDriver(memoryDriver()), check)
  const server = await startHub({ driver, limits, clock: fakeClock(testNow * 1000), ...hub })
  const hanging = { ...asks.listFiles, claims: { iat: testNow } }
  return stageOf(server.url, server.port, driver, hanging, () => server.close())
}

const startReaderStage: StartStage = async ({ reader = {}, limits = {}, check }) => {
  const driver = withCheck(faultyDriver(memoryDriver()), check)
  const logger = pino({ level: 'silent' })
  const app = readerApp({ driver, logger, cacheControl: 'no-cache', ...reader })
  const server = await startServer({ app, host: '127.0.0.1', port: 0, logger, limits, graceMs: 100 })
  return stageOf(server.url, server.port, driver, asks.read ?? {}, () => server.close())
}

function withCheck(driver: FaultyDriver, check: Row['check']): FaultyDriver {
  return check === undefined ? driver : { ...driver, check }
}

function stageOf(url: string, port: number, driver: FaultyDriver, hanging: Ask, close: () => Promise<void>) {
  const owner = newOwner()
  const send: Stage['send'] = async ({ method = 'GET', target = '', headers, body, by = owner, claims }) => {
    const response = await fetch(url + target.replace('{address}', owner.address), {
      method,
      redirect: 'manual',
      headers: { ...(by === null ? {} : { Authorization: `bearer ${v1(by, claims)}` }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
      header: (name) => response.headers.get(name),
    }
  }
  return { stage: { url, port, driver, owner, hanging, send }, close }
}

function describeDocument(document: Document, rows: readonly Row[], start: StartStage): void {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  addFormats.default(ajv)
  ajv.addSchema({ $id: 'document', ...document })
  const described = operationsOf(document)

  /** Fails where a value is not as a schema of the document says. */
  const expectValid = (pointer: string, value: unknown) => {
    const validate = ajv.getSchema(`document#${pointer}`)
    if (validate === undefined) throw new Error(`there is no schema at ${pointer}`)
    expect(validate(value), `${pointer}: ${JSON.stringify(validate.errors)}`).to.equal(true)
  }

  it('is an OpenAPI 3.1 document', async () => {
    const told = await new Validator().validate(structuredClone({ ...document }))
    expect(told.valid, JSON.stringify(told.errors)).to.equal(true)
  })

  it('has only examples that its schemas allow', () => {
    let examples = 0
    for (const { pointer, content } of contentsOf(described)) {
      for (const [type, { example, examples: named = {} }] of Object.entries(content)) {
        const values = [
          ...(example === undefined ? [] : [example]),
          ...Object.values(named).map(({ value }) => value),
        ]
        for (const value of values) expectValid(`${pointer}/content/${escaped(type)}/schema`, value)
        examples += values.length
      }
    }
    expect(examples).to.be.greaterThan(0)
  })

  it('describes each answer that a test provokes, and provokes each that it describes', () => {
    const told = described.flatMap(({ operationId, responses }) =>
      Object.keys(responses).map((status) => `${operationId} ${status}`),
    )
    const provoked = new Set(rows.map(({ operation, status }) => `${operation} ${status}`))
    expect([...provoked]).to.have.members(told)
  })

  for (const row of rows) {
    const { operation, status, ask, before, run } = row
    it(`holds where ${operation} answers ${status}: ${JSON.stringify(ask ?? {}).slice(0, 80)}`, async () => {
      const { stage, close } = await start(row)
      try {
        await before?.(stage)
        const whole = { method: 'GET', target: '', ...asks[operation], ...ask }
        const told = await (run === undefined ? stage.send(whole) : run(stage, withAddress(whole, stage)))
        expect(told.status, told.text).to.equal(status)
        // The server answers 408 before it has read which method it is.
        checkAnswer(operation, status, status === 408 ? 'GET' : whole.method, told)
      } finally {
        await close()
      }
    })
  }

  function checkAnswer(operation: string, status: number, method: string, told: Told): void {
    const found = described.find(({ operationId }) => operationId === operation)
    const response = found?.responses[status]
    if (found === undefined || response === undefined) throw new Error('the answer is not described')
    for (const name of Object.keys(response.headers ?? {})) expect(told.header(name), name).to.be.a('string')
    const types = Object.keys(response.content ?? {})
    const type = types.includes('*/*') ? '*/*' : told.type?.split(';')[0]
    if (types.length === 0 || method === 'HEAD') expect(told.text).to.equal('')
    else expect(types).to.include(type)
    if (type !== 'application/json' || method === 'HEAD') return
    const pointer = `${found.pointer}/responses/${status}/content/${escaped(type)}/schema`
    expectValid(pointer, JSON.parse(told.text))
  }
}

function withAddress(ask: Required<Pick<Ask, 'method' | 'target'>> & Ask, { owner }: Stage) {
  return { ...ask, target: ask.target.replace('{address}', owner.address) }
}

interface Described extends Operation {
  /** JSON pointer (RFC 6901) of the operation. */
  pointer: string
}

function operationsOf(document: Document): Described[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      pointer: `/paths/${escaped(path)}/${method}`,
    })),
  )
}

function contentsOf(operations: readonly Described[]) {
  return operations.flatMap(({ pointer, requestBody, responses }) => [
    ...(requestBody === undefined
      ? []
      : [{ pointer: `${pointer}/requestBody`, content: requestBody.content }]),
    ...Object.entries(responses).map(([status, { content = {} }]) => ({
      pointer: `${pointer}/responses/${status}`,
      content,
    })),
  ])
}

/** As part of a JSON pointer in a URI fragment. */
function escaped(name: string): string {
  return encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))
}

function asDocument(value: Record<string, unknown>): Document {
  return JSON.parse(JSON.stringify(value)) as Document
}

const commonRows: Row[] = ['', 'Head'].flatMap((method): Row[] => [
  { operation: `healthz${method}`, status: 200 },
  { operation: `readyz${method}`, status: 200 },
  {
    operation: `readyz${method}`,
    status: 503,
    check: () => Promise.reject(new DriverError('unavailable', 'no answer')),
  },
  { operation: `readyz${method}`, status: 503, limits: { maxRequests: 1 }, run: whileFull },
  { operation: `openapi${method}`, status: 200 },
  { operation: `docs${method}`, status: 200 },
])

const faultsOf = (document: Document) =>
  operationsOf(document)
    .map(({ operationId }) => operationId)
    .filter((operation) => !/^(?:healthz|readyz)/.test(operation))
    .flatMap(faultRows)

describe('the description of the hub', () => {
  const needCredentials = Object.keys(calls).filter((operation) => asks[operation]?.by !== null)
  const rows = [...hubRows, ...needCredentials.flatMap(credentialRows), ...commonRows, ...faultsOf(hubPaths)]
  describeDocument(hubPaths, rows, startHubStage)

  it('describes a HEAD wherever a GET is answered', () => {
    const items = Object.values({ ...hubPaths.paths, ...readerPaths.paths })
    expect(items.filter((item) => 'get' in item && !('head' in item))).to.deep.equal([])
  })

  it('leaves out no route of the hub', () => {
    const app = hubApp({
      driver: memoryDriver(),
      logger: pino({ level: 'silent' }),
      serverName: 'hub.example',
      readUrlPrefix: 'http://127.0.0.1:1/',
      maxFileUploadSizeMegabytes: 1,
      pageSize: 100,
      cacheControl: 'no-cache',
      whitelist: null,
      requireCorrectHubUrl: false,
      validHubUrls: [],
      proofsRequired: 0,
      authorityCacheSize: 1,
      revocationMaxAgeSeconds: 5,
      maxInvocationLifetimeSeconds: 60,
      idleTimeoutMs: 1000,
    })
    const routes = app.router.stack.flatMap(({ route }) => (route === undefined ? [] : [String(route.path)]))
    const isDescribed = (route: string) =>
      Object.keys(hubPaths.paths).some((path) =>
        new RegExp(route.slice(1, -1)).test(path.replace(/[{}]/g, '')),
      )
    expect(routes).to.have.lengthOf.at.least(8)
    expect(routes.filter((route) => !isDescribed(route))).to.deep.equal([])
  })
})

describe('the description of the reader', () => {
  it('tells of the size of the file with a range that it has not', () => {
    const responses = readerPaths.paths['/{address}/{path}']?.get?.responses
    expect(responses?.[416]?.headers).to.have.property('Content-Range')
  })

  describeDocument(readerPaths, [...readerRows, ...commonRows, ...faultsOf(readerPaths)], startReaderStage)
})
