import pino from 'pino'
import { type ConnectOptions, connect } from '../../client/connect.ts'
import type { Connection } from '../../client/connection.ts'
import type { DriverHarness } from '../../drivers/conformance/index.ts'
import { type RunningServer, startServer } from '../../http/server.ts'
import type { DirectUploadOptions } from '../../hub/options.ts'
import { readerApp } from '../../reader/app.ts'
import { fakeClock, startHub, type TestHub } from '../hub/harness.ts'
import { quickRetry } from './faulty-stage.ts'
import { alicesSigner } from './sdk-stage.ts'

/** Above so many bytes files go to the storage and come from there. */
export const thresholdBytes = 100

/** A request as the client sends it. */
export interface Sent {
  /** `hub`, `reader`, or `storage`. */
  readonly to: string
  /** `PUT storage`, `POST hub /upload`, `GET reader`, … */
  readonly name: string
  readonly url: string
  readonly headers: Headers
}

/** Sends a request on, or does something else to it. */
export type Road = (sent: Sent, go: () => Promise<Response>) => Promise<Response>

/** A hub that hands out direct uploads, and a reader that sends its clients to the same storage. */
export interface DirectStage {
  readonly hub: TestHub
  readonly reader: RunningServer
  /** The names of all requests that clients have sent since the test began. */
  readonly sent: Sent[]
  /** What becomes of the requests of clients; they pass unless a test says otherwise. */
  road: Road
  connect(options?: Partial<ConnectOptions>): Promise<Connection>
  names(): string[]
  close(): Promise<void>
}

export async function startDirectStage(
  { driver }: Pick<DriverHarness, 'driver'>,
  { lifetimeSeconds = 60 }: Partial<DirectUploadOptions> = {},
): Promise<DirectStage> {
  const presigner = driver.presign
  if (presigner === undefined) throw new Error('the driver presigns nothing')
  const logger = pino({ level: 'silent' })
  const redirect = { to: 'presigned', presigner, thresholdBytes } as const
  const app = readerApp({ driver, logger, cacheControl: 'no-cache', redirect })
  const reader = await startServer({ app, host: '127.0.0.1', port: 0, logger })
  const hub = await startHub({
    driver,
    readUrlPrefix: `${reader.url}/`,
    clock: Object.assign(() => Date.now(), fakeClock()),
    directUpload: { thresholdBytes, lifetimeSeconds },
  })
  const stage: DirectStage = {
    hub,
    reader,
    sent: [],
    road: (_, go) => go(),
    connect: (options = {}) =>
      connect({
        hub: hub.url,
        signer: alicesSigner(),
        retry: quickRetry,
        updateRetry: quickRetry,
        fetch: (input, init) => send(stage, input instanceof Request ? input.url : String(input), init),
        ...options,
      }),
    names: () => stage.sent.map(({ name }) => name),
    async close() {
      await hub.close()
      await reader.close()
    },
  }
  return stage
}

function send(stage: DirectStage, url: string, init: RequestInit = {}): Promise<Response> {
  const { origin, pathname } = new URL(url)
  const to = origin === stage.hub.url ? 'hub' : origin === stage.reader.url ? 'reader' : 'storage'
  const operation = to === 'hub' ? ` ${pathname.split('/', 2).join('/')}` : ''
  const name = `${init.method ?? 'GET'} ${to}${operation}`
  const sent = { to, name, url, headers: new Headers(init.headers) }
  if (operation !== ' /hub_info') stage.sent.push(sent)
  return stage.road(sent, () => fetch(url, init))
}

type Fate = (go: () => Promise<Response>) => Promise<Response>

/** What becomes of uploads to the storage, one after the other; when the list is over: nothing. */
export function uploadsMeet(...fates: Fate[]): Road {
  return ({ name }, go) => {
    const fate = name === 'PUT storage' ? fates.shift() : undefined
    return fate === undefined ? go() : fate(go)
  }
}

/** The storage does it, and the client does not hear of it. */
export const lost: Fate = async (go) => {
  await (await go()).body?.cancel()
  throw new TypeError('fetch failed')
}

export const unreachable: Fate = () => Promise.reject(new TypeError('Failed to fetch'))

export function answered(status: number, code = 'SomeCode'): Fate {
  const body = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>X-Amz-Signature=5f1c0e</Message></Error>`
  return () => Promise.resolve(new Response(body, { status }))
}

/** Something happens before the request arrives. */
export function after(act: () => unknown, then: Fate = (go) => go()): Fate {
  return async (go) => {
    await act()
    return then(go)
  }
}

/** An answer without the headers that a bucket lets no page of another origin read. */
export const withoutHeaders: Fate = async (go) => new Response(null, { status: (await go()).status })
