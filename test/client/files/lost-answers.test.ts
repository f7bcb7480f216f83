import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { OutcomeUnknownError, PreconditionFailedError } from '../../../client/index.ts'
import { faultyStage, writesMeet } from '../faulty-stage.ts'
import { rejection } from '../rejection.ts'

const lost = { do: 'lose the answer' } as const
const unavailable = { do: 'answer', status: 503 } as const

describe('where an answer is lost', () => {
  const on = faultyStage()
  let me: Connection
  let other: Connection
  beforeEach(async () => {
    me = await on.stage.connect()
    other = await on.stage.connect()
  })
  const textAt = async (path: string) => (await other.get(path)).text()
  const stores = () => on.stage.toHub.requests.filter((line) => line.startsWith('POST /store/')).length

  it('a put that created the file succeeds, though its second try is refused', async () => {
    on.stage.toHub.decide = writesMeet(lost)
    const { etag } = await me.put('new.txt', 'one')
    expect(etag).to.equal((await other.get('new.txt')).etag)
    expect(stores()).to.equal(2)
    await me.put('new.txt', 'two')
    expect(await textAt('new.txt')).to.equal('two')
  })

  it('so does one that replaced it, and one that the storage failed at', async () => {
    await me.put('old.txt', 'one')
    on.stage.toHub.decide = writesMeet(lost, unavailable)
    await me.put('old.txt', new Blob(['two']))
    expect(await textAt('old.txt')).to.equal('two')
  })

  it('so does one for which something in between gave up waiting, though the hub went on', async () => {
    on.stage.toHub.decide = writesMeet(async () => {
      await on.stage.hub.store('slow.txt', 'one', { token: await tokenOf(me), at: me.address })
      return { do: 'answer', status: 504 }
    })
    await me.put('slow.txt', 'one')
    expect(stores()).to.equal(2)
  })

  it('a put that never arrived is stored by its next try', async () => {
    on.stage.toHub.decide = writesMeet(unavailable, { do: 'answer', status: 502 })
    await me.put('late.txt', 'one')
    expect(await textAt('late.txt')).to.equal('one')
  })

  it('a put does not undo what came after it', async () => {
    await me.put('after.txt', 'one')
    on.stage.toHub.decide = writesMeet(lost, async () => {
      await on.stage.hub.store('after.txt', 'theirs', { token: await tokenOf(me), at: me.address })
      return { do: 'pass' }
    })
    const error = await rejection(me.put('after.txt', 'two'))
    expect(error).to.be.an.instanceOf(PreconditionFailedError)
    expect(error).to.include({ answerLost: true })
    expect(await textAt('after.txt')).to.equal('theirs')
  })

  for (const [what, theirs] of [
    ['longer', 'two and more'],
    ['of the same length', 'owt'],
    ['gone', null],
  ] as const) {
    it(`a put does not take for its own what is ${what}`, async () => {
      const path = `differs ${what}`
      on.stage.toHub.decide = writesMeet(unavailable, async () => {
        if (theirs !== null)
          await on.stage.hub.store(path, theirs, { token: await tokenOf(me), at: me.address })
        return { do: 'answer', status: 412, body: '{}' }
      })
      expect(await rejection(me.put(path, 'two'))).to.be.an.instanceOf(PreconditionFailedError)
    })
  }

  it('an update is never made twice: whether it took effect is told to be unknown', async () => {
    await me.put('counter', '5')
    on.stage.toHub.decide = writesMeet(lost)
    const error = await rejection(me.update('counter', (now) => String(Number(now?.text()) + 1)))
    expect(error).to.be.an.instanceOf(OutcomeUnknownError)
    expect(error).to.include({ code: 'outcome-unknown' })
    expect(await textAt('counter')).to.equal('6')
  })

  it('an update that never arrived is made once', async () => {
    await me.put('counter 2', '5')
    on.stage.toHub.decide = writesMeet(unavailable)
    await me.update('counter 2', (now) => String(Number(now?.text()) + 1))
    expect(await textAt('counter 2')).to.equal('6')
  })

  it('an update waits for its own first try, where the hub is still at it', async () => {
    await me.put('counter 3', '5')
    on.stage.toHub.decide = writesMeet(unavailable, { do: 'answer', status: 409 })
    await me.update('counter 3', (now) => String(Number(now?.text()) + 1))
    expect(await textAt('counter 3')).to.equal('6')
  })

  it('an update that may be made twice is made again', async () => {
    const add = (text = '') => [...new Set([...text.split(',').filter(Boolean), 'x'])].join(',')
    on.stage.toHub.decide = writesMeet(lost)
    await me.update('set', (now) => add(now?.text()), { idempotent: true })
    expect(await textAt('set')).to.equal('x')
  })

  it('of many who count up, the count lies between those who know and those who do not', async () => {
    let writes = 0
    on.stage.toHub.decide = ({ url = '' }) =>
      url.startsWith('/store/') && ++writes % 4 === 0 ? lost : { do: 'pass' }
    const clients = await Promise.all(Array.from({ length: 20 }, () => on.stage.connect()))
    const outcomes = await Promise.allSettled(
      clients.map((client) => client.update('count', (now) => String(Number(now?.text() ?? 0) + 1))),
    )
    const known = outcomes.filter(({ status }) => status === 'fulfilled').length
    const unknown = outcomes.filter(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof OutcomeUnknownError,
    ).length
    expect(known + unknown).to.equal(20)
    expect(unknown).to.be.above(0)
    const count = Number(await textAt('count'))
    expect(count).to.be.within(known, known + unknown)
  })

  it('a delete succeeds, though its second try finds nothing', async () => {
    await me.put('gone', 'x')
    on.stage.toHub.decide = writesMeet(lost)
    expect(await me.delete('gone')).to.equal(true)
    expect(await me.delete('gone')).to.equal(false)
    await other.put('gone unseen', 'x')
    on.stage.toHub.decide = writesMeet(lost)
    expect(await me.delete('gone unseen')).to.equal(true)
  })

  it('a stream is not sent again, and the error says so', async () => {
    on.stage.toHub.decide = writesMeet(unavailable)
    const error = await rejection(me.put('stream', new Blob(['x']).stream()))
    expect(error).to.include({ status: 503 })
    expect(error.message).to.include('not tried again')
    expect(stores()).to.equal(1)
  })

  it('a stream that can be opened again is', async () => {
    on.stage.toHub.decide = writesMeet(unavailable, lost)
    await me.put('reopened', () => new Blob(['x']).stream())
    expect(await textAt('reopened')).to.equal('x')
    expect(stores()).to.equal(3)
  })
})

async function tokenOf(connection: Connection): Promise<string> {
  const { Authorization = '' } = await connection.transport.credentials.headers([])
  return Authorization.slice('Bearer '.length)
}
