import { once } from 'node:events'
import { Agent, get, IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { expect } from 'chai'
import { admission } from '../../http/admission.ts'
import { baseApp } from '../../http/base-app.ts'
import { closeServers, eventually, RawClient, serve } from './serve.ts'

/** A server whose requests stay under way until they are let go. */
async function held(limits: { maxRequests?: number; maxAtWork?: number }) {
  const atWork: ServerResponse[] = []
  const server = await serve(
    () => (req, res) => {
      if (req.url === '/healthz') res.end('alive')
      else atWork.push(res)
    },
    { limits: { maxSocketsPerPeer: 0, ...limits } },
  )
  return { ...server, atWork, release: () => atWork.shift()?.end('done') }
}

/** Sends a GET and tells its status and how long it took. */
async function ask(
  url: string,
  agent: Agent,
): Promise<{ status: number; ms: number; headers: Record<string, unknown> }> {
  const began = performance.now()
  const req = get(url, { agent })
  const [res] = await once(req, 'response')
  res.resume()
  await once(res, 'end')
  return { status: res.statusCode, ms: performance.now() - began, headers: res.headers }
}

describe('a server that is asked for more than it can do', () => {
  const agent = new Agent({ keepAlive: true })
  afterEach(closeServers)
  after(() => agent.destroy())

  it('works on so many requests at once, and on the others in turn', async () => {
    const { url, atWork, release, load } = await held({ maxAtWork: 2 })
    const answers = [1, 2, 3].map(() => ask(url, agent))
    await eventually(() => load().requests === 3)
    expect([atWork.length, load().waiting]).to.deep.equal([2, 1])
    release()
    await eventually(() => load().requests === 2 && atWork.length === 2)
    release()
    release()
    expect((await Promise.all(answers)).map(({ status }) => status)).to.deep.equal([200, 200, 200])
    await eventually(() => load().requests === 0)
  })

  it('answers 503 with Retry-After and CORS beyond the most that it takes', async () => {
    const { url, release, load, lines } = await held({ maxRequests: 2 })
    const answers = [1, 2].map(() => ask(url, agent))
    await eventually(() => load().requests === 2)
    const refused = await ask(url, agent)
    expect(refused.status).to.equal(503)
    expect(refused.headers).to.include({
      'retry-after': '2',
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'Retry-After',
      'x-content-type-options': 'nosniff',
    })
    expect(lines.filter(({ msg }) => String(msg).includes('turned away'))).to.have.lengthOf(1)
    release()
    release()
    await Promise.all(answers)
    const next = ask(url, agent)
    await eventually(() => load().requests === 1)
    release()
    expect((await next).status).to.equal(200)
  })

  it('tells a client whose body is still coming, too', async () => {
    const { port, release, load } = await held({ maxRequests: 1 })
    const first = new RawClient(port).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => load().requests === 1)
    const second = new RawClient(port).send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nabc')
    await second.until(/ 503 .*OverloadedError/s)
    second.socket.destroy()
    release()
    await first.until(/done/)
    first.socket.destroy()
  })

  it('says that it is alive however busy it is', async () => {
    const { url, release, load } = await held({ maxRequests: 1 })
    const answer = ask(url, agent)
    await eventually(() => load().requests === 1)
    expect((await ask(`${url}/healthz`, agent)).status).to.equal(200)
    release()
    await answer
  })

  it('answers preflights however busy it is, so that a page in a browser can read the refusal', async () => {
    const waiting: ServerResponse[] = []
    const { url, load } = await serve(
      (logger) =>
        baseApp({ logger, methods: ['GET'], exposedHeaders: [], check: async () => undefined }, (app) =>
          app.get('/', (_req, res) => void waiting.push(res)),
        ),
      { limits: { maxRequests: 1 } },
    )
    const answer = ask(url, agent)
    await eventually(() => load().requests === 1)
    const headers = { origin: 'https://app.example', 'access-control-request-method': 'GET' }
    const preflight = await fetch(url, { method: 'OPTIONS', headers })
    expect(preflight.status).to.equal(204)
    expect(preflight.headers.get('access-control-allow-methods')).to.equal('GET')
    expect((await ask(url, agent)).status).to.equal(503)
    waiting[0]?.end()
    await answer
  })

  it('takes the turn of a request that waits for its client or the storage, not of one that works', async () => {
    const { url, atWork, release } = await held({ maxAtWork: 1 })
    const answers = [ask(url, agent), ask(url, agent)]
    await eventually(() => atWork.length === 1)
    // Nobody ends the first: after a quarter of a second the second has its turn nevertheless.
    await eventually(() => atWork.length === 2)
    release()
    release()
    await Promise.all(answers)
  })

  it('forgets a request whose client went away while it waited', async () => {
    const { url, port, atWork, release, load } = await held({ maxAtWork: 1 })
    const first = ask(url, agent)
    await eventually(() => atWork.length === 1)
    const gone = new RawClient(port).send('GET /gone HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => load().waiting === 1)
    gone.socket.destroy()
    await eventually(() => load().waiting === 0)
    release()
    await first
    expect(atWork).to.have.lengthOf(0)
  })

  it('lets in those at the door before work goes on, but keeps nobody from work for long', async () => {
    let nowMs = 0
    const refuse = () => expect.fail('nobody is turned away')
    const door = admission({ maxRequests: 10, maxAtWork: 5, refuse, now: () => nowMs })
    const begun: string[] = []
    const enter = (name: string) => {
      const [req, res] = [
        new IncomingMessage(new Socket()),
        new ServerResponse(new IncomingMessage(new Socket())),
      ]
      door.enter(req, res, () => begun.push(name))
    }
    enter('first')
    door.arrival()
    enter('second')
    expect(begun).to.deep.equal(['first'])
    // Another one at each turn of the loop.
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      door.arrival()
    }
    expect(begun).to.deep.equal(['first'])
    nowMs = 11
    await eventually(() => begun.length === 2)
    expect(begun).to.deep.equal(['first', 'second'])
  })

  it('lets in those at the door before others hear that they are refused, but lets nobody wait for long', async () => {
    let nowMs = 0
    const refused: string[] = []
    const refuse = (req: IncomingMessage) => refused.push(req.url ?? '')
    const door = admission({ maxRequests: 1, maxAtWork: 1, refuse, now: () => nowMs })
    const enter = (url: string) => {
      const req = Object.assign(new IncomingMessage(new Socket()), { url })
      door.enter(req, new ServerResponse(req), () => undefined)
    }
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    enter('let in')
    enter('at once')
    expect(refused).to.deep.equal(['at once'])
    door.arrival()
    enter('held')
    for (let i = 0; i < 3; i++) {
      await turn()
      door.arrival()
    }
    expect(refused).to.deep.equal(['at once'])
    nowMs = 11
    await eventually(() => refused.length === 2)
    door.arrival()
    enter('held till the door is free')
    expect(refused).to.have.lengthOf(2)
    await eventually(() => refused.length === 3)
    expect(refused).to.deep.equal(['at once', 'held', 'held till the door is free'])
  })

  it('absorbs a burst, but turns newcomers away at once while the line stands, and recovers', async () => {
    const server = await serve(() => (_req, res) => void setTimeout(() => res.end('done'), 20), {
      limits: { maxSocketsPerPeer: 0, maxAtWork: 4, maxRequests: 200 },
    })
    const many = (count: number) => Promise.all(Array.from({ length: count }, () => ask(server.url, agent)))
    expect(
      (await many(60)).every(({ status }) => status === 200),
      'a burst',
    ).to.equal(true)

    const until = performance.now() + 1_500
    const seen: Awaited<ReturnType<typeof ask>>[] = []
    const flood = Array.from({ length: 60 }, async () => {
      while (performance.now() < until) {
        const answer = await ask(server.url, agent)
        seen.push(answer)
        if (answer.status === 503) await new Promise((resolve) => setTimeout(resolve, 30))
      }
    })
    await Promise.all(flood)
    const refusals = seen.filter(({ status }) => status === 503)
    expect(refusals.length).to.be.greaterThan(100)
    const times = refusals.map(({ ms }) => ms).toSorted((a, b) => a - b)
    expect(times[Math.floor(times.length / 2)]).to.be.lessThan(50)
    expect(seen.filter(({ status }) => status === 200).length).to.be.greaterThan(100)
    await eventually(() => server.load().requests === 0)
    expect((await ask(server.url, agent)).status).to.equal(200)
  })
})
