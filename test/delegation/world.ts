import { expect } from 'chai'
import type { Driver, ListPage } from '../../drivers/driver.ts'
import { fileKey, parseAddress, parsePath } from '../../drivers/key.ts'
import type { UcanErrorCode } from '../../hub/auth/ucan/index.ts'
import {
  type Answer,
  encodePath,
  fakeClock,
  type HubOverrides,
  startHub,
  type TestHub,
} from '../hub/harness.ts'
import { testNow, ucansHeader } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'

/** How one request is made. */
export interface Ask {
  /** The credential without its scheme: `v1:…`, `ucan:…`, or anything else. */
  as?: string
  /** Tokens for the `ucans` header, or the header as it stands. */
  ucans?: readonly string[] | string
  headers?: Record<string, string>
}

export type Body = BodyInit

/** A hub, and everything that somebody may ask of it. Whatever it answers is searched for parts of tokens. */
export interface World {
  readonly hub: TestHub
  send(method: string, target: string, ask: Ask & { body?: Body }): Promise<Answer>
  /** `path` is the decoded name. */
  store(owner: Persona | string, path: string, ask: Ask & { body?: Body }): Promise<Answer>
  delete(owner: Persona | string, path: string, ask: Ask): Promise<Answer>
  list(owner: Persona | string, ask: Ask, body?: unknown): Promise<Answer>
  revokeAll(owner: Persona, oldestValidTimestamp: unknown, ask: Ask): Promise<Answer>
  deposit(owner: Persona, body: unknown, ask: Ask): Promise<Answer>
  revoke(owner: Persona, body: unknown, ask: Ask): Promise<Answer>
  listGrants(owner: Persona, ask: Ask, body?: unknown): Promise<Answer>
  /** What is stored, as text; `null` for nothing. */
  content(owner: Persona | string, path: string): Promise<string | null>
  /** Every file and record of an address with its version. */
  snapshot(owner: Persona | string): Promise<string[]>
  /** Fails if a part of any token that was sent stands in the log. */
  expectCleanLog(): void
  close(): Promise<void>
}

/** A hub whose clock stands at {@link testNow}, unless told. */
export async function startWorld(overrides: HubOverrides = {}): Promise<World> {
  return worldOf(await startHub({ clock: fakeClock(testNow * 1000), ...overrides }))
}

export function worldOf(hub: TestHub): World {
  const sent = new Set<string>()

  async function send(method: string, target: string, { body, ...ask }: Ask & { body?: Body }) {
    const tokens = tokensOf(ask, body)
    for (const token of tokens) sent.add(token)
    const init = { headers: headersOf(ask), ...(body === undefined ? {} : { body }) }
    const answer = await hub.send(method, target, init)
    expectNoTokenText(answer.body.toString(), tokens)
    return answer
  }

  const sendJson = (target: string, body: unknown, ask: Ask) =>
    send('POST', target, { ...ask, body: JSON.stringify(body) })

  return {
    hub,
    send,
    store: (owner, path, ask) =>
      send('POST', `/store/${addressOf(owner)}/${encodePath(path)}`, { body: 'x', ...ask }),
    delete: (owner, path, ask) => send('DELETE', `/delete/${addressOf(owner)}/${encodePath(path)}`, ask),
    list: (owner, ask, body = { page: null }) => sendJson(`/list-files/${addressOf(owner)}`, body, ask),
    revokeAll: (owner, oldestValidTimestamp, ask) =>
      sendJson(`/revoke-all/${owner.address}`, { oldestValidTimestamp }, ask),
    deposit: (owner, body, ask) => sendJson(`/grant/${owner.address}`, body, ask),
    revoke: (owner, body, ask) => sendJson(`/revoke/${owner.address}`, body, ask),
    listGrants: (owner, ask, body = {}) => sendJson(`/list-grants/${owner.address}`, body, ask),
    content: (owner, path) => contentOf(hub.driver, addressOf(owner), path),
    snapshot: (owner) => snapshotOf(hub.driver, addressOf(owner)),
    expectCleanLog: () => expectNoTokenText(hub.logs.join('\n'), [...sent]),
    close: () => hub.close(),
  }
}

/** One world for all tests of the suite around the call; its log is searched at the end. */
export function suiteWorld(overrides: () => HubOverrides = () => ({})): { readonly world: World } {
  let running: World | undefined
  before(async () => {
    running = await startWorld(overrides())
  })
  after(async () => {
    await running?.close()
    running?.expectCleanLog()
  })
  return {
    get world() {
      if (running === undefined) throw new Error('the hub of the suite runs while its tests do')
      return running
    },
  }
}

/** Runs a test against a world of its own. */
export async function withWorld(
  overrides: HubOverrides,
  test: (world: World) => Promise<void>,
): Promise<void> {
  const world = await startWorld(overrides)
  try {
    await test(world)
  } finally {
    await world.close()
  }
  world.expectCleanLog()
}

/** What a refusal must say. `error` and the status follow from the code. */
export interface Refusal {
  code: UcanErrorCode
  /** `null` where no single token is at fault: then the answer must name none. */
  link?: number | null
  claim?: string
}

export function expectRefused(answer: Answer, { code, link, claim }: Refusal): void {
  const { json } = answer
  const told = JSON.stringify(json)
  expect(json?.code, told).to.equal(code)
  expect(answer.status, told).to.equal(code === 'not-covered' ? 403 : 401)
  expect(json?.error, told).to.equal(code === 'not-covered' ? 'NotAuthorizedError' : 'ValidationError')
  expect(json?.message, told).to.be.a('string').and.not.equal('')
  if (link !== undefined) expect(json?.link ?? null, told).to.equal(link)
  if (claim !== undefined) expect(json?.claim, told).to.equal(claim)
}

export function expectStatus(answer: Answer, status: number, error?: string): void {
  expect(answer.status, answer.body.toString()).to.equal(status)
  if (error !== undefined) expect(answer.json?.error).to.equal(error)
}

function addressOf(owner: Persona | string): string {
  return typeof owner === 'string' ? owner : owner.address
}

export function headersOf({ as, ucans, headers }: Ask): Record<string, string> {
  const header = typeof ucans === 'string' ? ucans : ucans === undefined ? '' : ucansHeader(...ucans)
  return {
    ...(as === undefined ? {} : { Authorization: `Bearer ${as}` }),
    ...(header === '' ? {} : { ucans: header }),
    ...headers,
  }
}

/** Whatever in a request has the form of a JWT. */
function tokensOf({ as = '', ucans, headers = {} }: Ask, body?: Body): string[] {
  const header = typeof ucans === 'string' ? ucans : (ucans ?? []).join(' ')
  // Only bodies that are JSON hold tokens.
  const json = typeof body === 'string' && body.startsWith('{') ? body : ''
  const texts = [as, header, ...Object.values(headers), json]
  return texts.flatMap((text) => text.match(/\b[\w-]{16,}\.[\w-]{16,}\.[\w-]*/g) ?? [])
}

/** No stretch of 16 characters or more that could be base64url is a part of a token. */
function expectNoTokenText(text: string, tokens: readonly string[]): void {
  const runs = new Set(text.match(/[\w-]{16,}/g) ?? [])
  for (const run of runs) {
    for (const token of tokens)
      expect(token.includes(run), `a part of a token is told: ${text}`).to.equal(false)
  }
}

async function contentOf(driver: Driver, address: string, path: string): Promise<string | null> {
  const found = await driver.read(fileKey(parseAddress(address), parsePath(path)))
  if (found === null) return null
  const chunks: Buffer[] = []
  for await (const chunk of found.body) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

async function snapshotOf(driver: Driver, address: string): Promise<string[]> {
  const found: string[] = []
  for (const prefix of [`${address}/`, `${address}-auth/`]) {
    let cursor: string | null = null
    do {
      const page: ListPage = await driver.list(prefix, { limit: 1000, cursor, stat: true })
      found.push(...page.entries.map(({ key, info }) => `${key} ${info?.etag}`))
      cursor = page.cursor
    } while (cursor !== null)
  }
  return found
}
