import { expect } from 'chai'
import type { Logger } from 'pino'
import { baseApp } from '../../http/base-app.ts'
import type { WireError } from '../../http/errors.ts'
import { noHttpInstruments, type TurnedAway } from '../../http/instruments.ts'
import { peers } from '../../http/peer.ts'
import { RateLimiter } from '../../http/rate-limiter.ts'
import { closeServers, serve } from './serve.ts'

describe('a limit of requests by key', () => {
  const refused = async (take: Promise<void>) =>
    take.then(
      () => null,
      (error: unknown) => error as WireError,
    )

  it('lets as many through as it says, and then says how long to wait', async () => {
    const limiter = new RateLimiter({ perMinute: 2, message: 'too many' })
    expect(await refused(limiter.take('a'))).to.equal(null)
    expect(await refused(limiter.take('a'))).to.equal(null)
    const error = await refused(limiter.take('a'))
    expect(error).to.include({ code: 'rate_limited', message: 'too many' })
    expect(error?.retryAfterSeconds).to.be.within(1, 60)
    expect(await refused(limiter.take('b'))).to.equal(null)
  })

  it('keeps no more keys than it may when mallory comes under ever new ones', async () => {
    const limiter = new RateLimiter({ perMinute: 1, maxKeys: 10, message: 'too many' })
    await limiter.take('first')
    for (let i = 0; i < 10; i++) await limiter.take(`mallory-${i}`)
    // The oldest has been pushed out, and its count with it; the newest is still known.
    expect(await refused(limiter.take('mallory-9'))).not.to.equal(null)
    expect(await refused(limiter.take('first'))).to.equal(null)
  })
})

describe('a server with a limit for each peer', () => {
  afterEach(closeServers)

  function limitedApp(turnedAway: TurnedAway[] = [], proxies: string[] = []) {
    const instruments = { ...noHttpInstruments, turnedAway: (why: TurnedAway) => void turnedAway.push(why) }
    return (logger: Logger) =>
      baseApp(
        {
          logger,
          instruments,
          methods: ['GET', 'OPTIONS'],
          exposedHeaders: ['ETag'],
          check: async () => undefined,
          peerLimit: { perMinute: 3, peers: peers(proxies) },
        },
        (app) => app.get('/', (_req, res) => void res.end('hello')),
      )
  }

  it('answers 429 with Retry-After, which a page of any origin can read', async () => {
    const turnedAway: TurnedAway[] = []
    const { url } = await serve(limitedApp(turnedAway))
    const statuses = []
    for (let i = 0; i < 3; i++) statuses.push((await fetch(url)).status)
    const answer = await fetch(url)
    expect(statuses).to.deep.equal([200, 200, 200])
    expect(answer.status).to.equal(429)
    expect(Number(answer.headers.get('retry-after'))).to.be.within(1, 60)
    expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
    expect(answer.headers.get('access-control-expose-headers')).to.equal('ETag, Retry-After')
    expect(await answer.json()).to.include({ error: 'RateLimitedError' })
    expect(turnedAway).to.deep.equal(['peer_rate'])
  })

  it('counts neither preflights nor probes', async () => {
    const { url } = await serve(limitedApp())
    for (let i = 0; i < 5; i++) {
      expect((await fetch(url, { method: 'OPTIONS' })).status).to.equal(204)
      expect((await fetch(`${url}/healthz`)).status).to.equal(200)
      expect((await fetch(`${url}/readyz`)).status).to.equal(200)
    }
    expect((await fetch(url)).status).to.equal(200)
  })

  it('counts the clients of a proxy apart, and mallory as one whatever she claims to be', async () => {
    const { url } = await serve(limitedApp([], ['127.0.0.1']))
    const from = (forwarded: string) => fetch(url, { headers: { 'x-forwarded-for': forwarded } })
    const statuses = []
    for (let i = 0; i < 4; i++) statuses.push((await from(`198.51.100.${i}, 192.0.2.66`)).status)
    expect(statuses).to.deep.equal([200, 200, 200, 429])
    expect((await from('192.0.2.1')).status).to.equal(200)
  })
})
