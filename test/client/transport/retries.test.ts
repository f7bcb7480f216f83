import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { NetworkError } from '../../../client/index.ts'
import { type Fate, FaultyProxy } from '../../servers/faulty-proxy.ts'
import { faultyStage, quickRetry, writesMeet } from '../faulty-stage.ts'
import { rejection } from '../rejection.ts'

const answer = (status: number, headers: Record<string, string> = {}, body = '{}'): Fate => ({
  do: 'answer',
  status,
  headers,
  body,
})

describe('a call that fails', () => {
  const on = faultyStage()
  let me: Connection
  beforeEach(async () => {
    me = await on.stage.connect()
  })
  const stores = () => on.stage.toHub.requests.filter((line) => line.startsWith('POST /store/')).length

  for (const [status, className, code] of [
    [409, 'ConflictError', 'conflict'],
    [429, 'RateLimitedError', 'rate-limited'],
    [500, 'ServerError', 'server-error'],
    [502, 'ServerError', 'server-error'],
    [503, 'ServerError', 'server-error'],
    [504, 'ServerError', 'server-error'],
  ] as const) {
    it(`with ${status} is tried again`, async () => {
      on.stage.toHub.decide = writesMeet(answer(status), answer(status))
      await me.put(`again ${status}`, 'x')
      expect(stores()).to.equal(3)
    })

    it(`with ${status} again and again is told in the end`, async () => {
      const hurried = await on.stage.connect({ retry: { ...quickRetry, maxElapsedMs: 50 } })
      on.stage.toHub.decide = ({ url }) => (url?.startsWith('/store/') ? answer(status) : { do: 'pass' })
      const error = await rejection(hurried.put(`never ${status}`, 'x'))
      expect(error).to.include({ name: className, code, status })
      expect(stores()).to.be.above(2)
    })
  }

  for (const [status, className, code] of [
    [400, 'InvalidInputError', 'invalid-input'],
    [401, 'UnauthorizedError', 'unauthorized'],
    [402, 'NotEnoughProofsError', 'not-enough-proofs'],
    [403, 'NotAuthorizedError', 'not-covered'],
    [404, 'NotFoundError', 'not-found'],
    [412, 'PreconditionFailedError', 'precondition-failed'],
    [413, 'PayloadTooLargeError', 'payload-too-large'],
    [418, 'MandateError', 'failed'],
    [501, 'ServerError', 'server-error'],
  ] as const) {
    it(`with ${status} is not tried again`, async () => {
      on.stage.toHub.decide = writesMeet(answer(status))
      const error = await rejection(me.put(`once ${status}`, 'x'))
      expect(error).to.include({ name: className, code, status })
      expect(stores()).to.equal(1)
    })
  }

  it('is tried once where the options say so', async () => {
    const once = await on.stage.connect({ retry: { maxElapsedMs: 0 } })
    on.stage.toHub.decide = writesMeet(answer(503))
    expect(await rejection(once.put('once', 'x'))).to.include({ status: 503 })
    expect(stores()).to.equal(1)
  })

  it('is tried again when the hub asks for it, not before', async () => {
    on.stage.toHub.decide = writesMeet(answer(429, { 'Retry-After': '1' }))
    const start = performance.now()
    await me.put('later', 'x')
    expect(performance.now() - start).to.be.within(1000, 3000)
  })

  it('ends at once where the hub asks for more time than there is', async () => {
    on.stage.toHub.decide = writesMeet(answer(429, { 'Retry-After': '3600' }))
    const error = await rejection(me.put('too late', 'x'))
    expect(error).to.include({ code: 'rate-limited', retryAfterSeconds: 3600 })
  })

  it('ends when its signal aborts while it waits', async () => {
    const patient = await on.stage.connect({
      retry: { baseDelayMs: 100_000, maxDelayMs: 100_000, maxElapsedMs: 1e6 },
    })
    on.stage.toHub.decide = writesMeet(answer(503))
    const controller = new AbortController()
    const put = rejection(patient.put('waiting', 'x', { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 50)
    expect((await put).message).to.equal('enough')
  })

  describe('to connect', () => {
    it('is told at once where nobody listens, if that is asked for', async () => {
      const gone = await FaultyProxy.start(on.stage.hub.url)
      const { url } = gone
      await gone.stop()
      const start = performance.now()
      const error = await rejection(on.stage.connect({ hub: url, failFast: true, retry: {} }))
      expect(error).to.include({ code: 'network' })
      expect(performance.now() - start).to.be.below(1_000)
    })

    it('is tried again all the same where the hub has too much to do', async () => {
      const fates = [answer(429), answer(503)]
      on.stage.toHub.decide = () => fates.shift() ?? { do: 'pass' }
      await on.stage.connect({ failFast: true })
      expect(on.stage.toHub.requests.filter((line) => line === 'GET /hub_info').length).to.be.above(2)
    })

    it('ends when its signal aborts, and what is connected stays so', async () => {
      const controller = new AbortController()
      const connected = await on.stage.connect({ signal: controller.signal })
      on.stage.toHub.decide = () => ({ do: 'be silent' })
      const connecting = rejection(on.stage.connect({ signal: controller.signal }))
      setTimeout(() => controller.abort(new Error('enough')), 50)
      expect((await connecting).message).to.equal('enough')
      on.stage.toHub.decide = () => ({ do: 'pass' })
      await connected.put('still connected', 'x')
    })
  })

  it('because nobody listens is told as such, with the host', async () => {
    const gone = await FaultyProxy.start(on.stage.hub.url)
    const { url } = gone
    await gone.stop()
    const error = await rejection(on.stage.connect({ hub: url, retry: { maxElapsedMs: 0 } }))
    expect(error).to.be.an.instanceOf(NetworkError)
    expect(error).to.include({ code: 'network', status: null, answerLost: false })
    expect(error.message).to.equal(`no answer from ${new URL(url).host} (ECONNREFUSED)`)
  })

  it('says why in the words of the hub, and never with a token', async () => {
    const { Authorization = '' } = await me.transport.credentials.headers([])
    const [, token = ''] = Authorization.split(' ')
    const body = JSON.stringify({
      message: `the token ${token} is wrong`,
      error: 'ValidationError',
      code: 'bad-signature',
    })
    on.stage.toHub.decide = writesMeet(answer(401, {}, body))
    const error = await rejection(me.put('secret', 'x'))
    expect(error).to.include({ code: 'bad-signature', hubError: 'ValidationError' })
    expect(error.message).to.equal('the token v1:[token] is wrong (401)')
    expect(JSON.stringify(error)).not.to.include(token.slice(20, 60))
  })

  it('is told also where the answer is huge, or no JSON', async () => {
    for (const body of ['x'.repeat(1_000_000), '<html>', '[]', 'null', '{"message":7}']) {
      on.stage.toHub.decide = writesMeet(answer(400, {}, body))
      const error = await rejection(me.put('odd', 'x'))
      expect(error.message).to.equal('the answer was 400')
    }
  })

  it('where the hub would have it sent elsewhere is not: the credential is for this hub', async () => {
    const elsewhere = on.stage.toReader
    const { Location } = { Location: `${elsewhere.url}stolen` }
    on.stage.toHub.decide = ({ url }) =>
      url?.startsWith('/store/') ? answer(307, { Location }) : { do: 'pass' }
    const once = await on.stage.connect({ retry: { maxElapsedMs: 0 } })
    expect(await rejection(once.put('redirected', 'x'))).to.be.an.instanceOf(NetworkError)
    expect(elsewhere.requests).to.deep.equal([])
  })

  it('at a server that is no hub is told as such', async () => {
    for (const body of [
      '{}',
      '[]',
      'no JSON',
      '{"challenge_text":"x","read_url_prefix":"javascript:alert(1)"}',
    ]) {
      on.stage.toHub.decide = () => answer(200, { 'Content-Type': 'application/json' }, body)
      expect(await rejection(on.stage.connect())).to.include({ name: 'BadAnswerError', code: 'bad-answer' })
    }
  })
})

describe('a hub that says too little of a file', () => {
  const on = faultyStage()

  it('is told as such where a store is answered without an etag', async () => {
    const me = await on.stage.connect()
    on.stage.toHub.decide = writesMeet(answer(202), answer(202, {}, 'no JSON'))
    for (const path of ['a', 'b'])
      expect(await rejection(me.put(path, 'x'))).to.include({ code: 'bad-answer' })
  })

  it('is told as such where its reader gives no ETag', async () => {
    const me = await on.stage.connect()
    on.stage.toReader.decide = () => answer(200, {}, 'x')
    expect(await rejection(me.get('a'))).to.include({ code: 'bad-answer' })
    expect(await rejection(me.head('a'))).to.include({ code: 'bad-answer' })
  })
})
