import pino from 'pino'
import type { Driver } from '../../drivers/driver.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { type RunningServer, type ServerLimits, startServer } from '../../http/server.ts'
import { type HubOptions, hubApp } from '../../hub/app.ts'
import { readerApp } from '../../reader/app.ts'
import type { Person } from './people.ts'
import { serverName, v1Token } from './tokens.ts'

/** A clock that a test sets. Milliseconds since 1970; it stands still unless told. */
export interface FakeClock {
  (): number
  nowMs: number
  /** The time in whole seconds, as tokens count. */
  seconds(): number
  advanceSeconds(seconds: number): void
}

/** Stands at 2026-07-01T00:00:00Z unless told. */
export function fakeClock(nowMs = Date.UTC(2026, 6, 1)): FakeClock {
  const clock = Object.assign(() => clock.nowMs, {
    nowMs,
    seconds: () => Math.floor(clock.nowMs / 1000),
    advanceSeconds: (seconds: number) => {
      clock.nowMs += seconds * 1000
    },
  })
  return clock
}

/** An answer that was read to its end. */
export interface Answer {
  status: number
  headers: Headers
  body: Buffer
  /** The body as JSON; `undefined` where it is empty or of another type. */
  readonly json: AnswerBody | undefined
}

/** The members that answers of a hub may have. */
export interface AnswerBody {
  message?: string
  error?: string
  code?: string
  etag?: string
  publicURL?: string
  entries?: unknown[]
  page?: string | null
  status?: string
  [member: string]: unknown
}

export interface RequestOptions {
  /** Who signs, with a fresh token of nothing but the necessary claims. */
  by?: Person
  /** The credential itself, in place of `by`. */
  token?: string
  /** Whose address it is about; `by`'s own where it is left out. */
  at?: Person | string
  headers?: Record<string, string>
}

export interface TestHub {
  readonly url: string
  readonly port: number
  readonly driver: Driver
  readonly clock: FakeClock
  /** Every line that the hub has logged, as JSON. */
  readonly logs: readonly string[]
  /** Sends anything; `path` as it stands. */
  send(method: string, path: string, init?: RequestOptions & { body?: BodyInit }): Promise<Answer>
  /** `path` is the decoded name. */
  store(path: string, body: BodyInit, options?: RequestOptions): Promise<Answer>
  delete(path: string, options?: RequestOptions): Promise<Answer>
  list(body?: unknown, options?: RequestOptions): Promise<Answer>
  revokeAll(oldestValidTimestamp: unknown, options?: RequestOptions): Promise<Answer>
  close(): Promise<void>
}

export interface HubOverrides extends Partial<Omit<HubOptions, 'now'>> {
  clock?: FakeClock
  limits?: Partial<ServerLimits>
}

/** A hub over the memory driver, on a port of its own, with short bounds and a clock that stands still. */
export async function startHub({
  clock = fakeClock(),
  limits = {},
  ...overrides
}: HubOverrides = {}): Promise<TestHub> {
  const logs: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => void logs.push(line) })
  const driver = overrides.driver ?? memoryDriver({ now: clock })
  const app = hubApp({
    driver,
    logger,
    serverName,
    readUrlPrefix: 'http://127.0.0.1:1/',
    maxFileUploadSizeMegabytes: 1,
    pageSize: 100,
    cacheControl: 'no-cache',
    whitelist: null,
    requireCorrectHubUrl: false,
    validHubUrls: [],
    proofsRequired: 0,
    authorityCacheSize: 1000,
    revocationMaxAgeSeconds: 5,
    maxInvocationLifetimeSeconds: 86_400,
    idleTimeoutMs: 2_000,
    ...overrides,
    now: clock,
  })
  const server = await startServer({ app, host: '127.0.0.1', port: 0, logger, limits, graceMs: 2_000 })
  return {
    ...callsTo(server.url),
    url: server.url,
    port: server.port,
    driver,
    clock,
    logs,
    close: server.close,
  }
}

/** A reader over the same storage as some hub. */
export function startReader(driver: Driver): Promise<RunningServer> {
  const logger = pino({ level: 'silent' })
  const app = readerApp({ driver, logger, cacheControl: 'no-cache' })
  return startServer({ app, host: '127.0.0.1', port: 0, logger })
}

/** Runs a test against a hub of its own. */
export async function withHub(overrides: HubOverrides, test: (hub: TestHub) => Promise<void>): Promise<void> {
  const hub = await startHub(overrides)
  try {
    await test(hub)
  } finally {
    await hub.close()
  }
}

/** One hub for all tests of the suite around the call; it exists while they run. */
export function suiteHub(overrides: () => HubOverrides = () => ({})): { readonly hub: TestHub } {
  let running: TestHub | undefined
  before(async () => {
    running = await startHub(overrides())
  })
  after(() => running?.close())
  return {
    get hub() {
      if (running === undefined) throw new Error('the hub of the suite runs while its tests do')
      return running
    },
  }
}

/** A name in the form that stands in a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

type Calls = Pick<TestHub, 'send' | 'store' | 'delete' | 'list' | 'revokeAll'>

function callsTo(url: string): Calls {
  const send: Calls['send'] = async (method, path, { body, ...options } = {}) =>
    readAnswer(
      await fetch(url + path, {
        method,
        headers: { ...authorization(options), ...options.headers },
        ...(body === undefined ? {} : { body }),
      }),
    )
  const sendJson = (path: string, body: unknown, options: RequestOptions) =>
    send('POST', path, {
      ...options,
      headers: { 'Content-Type': 'application/json', ...options.headers },
      body: JSON.stringify(body),
    })
  return {
    send,
    store: (path, body, options = {}) =>
      send('POST', `/store/${addressOf(options)}/${encodePath(path)}`, { ...options, body }),
    delete: (path, options = {}) =>
      send('DELETE', `/delete/${addressOf(options)}/${encodePath(path)}`, options),
    list: (body = { page: null }, options = {}) =>
      sendJson(`/list-files/${addressOf(options)}`, body, options),
    revokeAll: (oldestValidTimestamp, options = {}) =>
      sendJson(`/revoke-all/${addressOf(options)}`, { oldestValidTimestamp }, options),
  }
}

function authorization({ by, token }: RequestOptions): Record<string, string> {
  const credential = token ?? (by === undefined ? undefined : v1Token(by))
  return credential === undefined ? {} : { Authorization: `bearer ${credential}` }
}

function addressOf({ at, by }: RequestOptions): string {
  const owner = at ?? by
  if (owner === undefined) throw new TypeError('say whose address it is about')
  return typeof owner === 'string' ? owner : owner.address
}

/** Reads an answer of `fetch` to its end. */
export async function readAnswer(response: Response): Promise<Answer> {
  const body = Buffer.from(await response.arrayBuffer())
  const isJson = body.length > 0 && response.headers.get('content-type') === 'application/json'
  return {
    status: response.status,
    headers: response.headers,
    body,
    // Only when it is looked at: a file of that type need not be JSON.
    get json() {
      return isJson ? (JSON.parse(body.toString()) as AnswerBody) : undefined
    },
  }
}

/** Fetches a file as any reader of its owner would. */
export async function readFile(readerUrl: string, address: string, path: string): Promise<Answer> {
  return readAnswer(await fetch(`${readerUrl}/${address}/${encodePath(path)}`))
}
