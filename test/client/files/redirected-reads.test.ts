import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { TransferError } from '../../../client/index.ts'
import { type DirectStage, type Road, startDirectStage } from '../direct-stage.ts'
import { rejection } from '../rejection.ts'
import { directStorages } from './direct-storages.ts'

const one = 'one '.repeat(100)
const two = 'two '.repeat(100)

for (const [name, open] of directStorages) {
  describe(`a file for which the reader sends its clients to ${name}`, () => {
    const makeHarness = open()
    const closing: (() => Promise<unknown>)[] = []
    let on: DirectStage
    before(async () => {
      const harness = await makeHarness()
      on = await startDirectStage(harness)
      closing.push(
        () => on.close(),
        () => harness.close(),
      )
    })
    after(async () => {
      for (const close of closing) await close()
    })

    let me: Connection
    let other: Connection
    let path: string
    let etag: string
    let count = 0
    beforeEach(async () => {
      on.road = (_, go) => go()
      me = await on.connect()
      other = await on.connect({ fetch })
      path = `file ${++count}`
      etag = (await other.put(path, one)).etag
      on.sent.length = 0
    })
    const reads = () => on.names().filter((request) => request === 'GET reader').length
    const replace = () => other.put(path, two, { overwrite: true })

    it('comes whole, with what the reader says of its version', async () => {
      let answer: Response | undefined
      on.road = async ({ name: request }, go) => {
        const given = await go()
        if (request === 'GET reader') answer = given
        return given
      }
      const file = await me.get(path)
      expect(answer?.redirected).to.equal(true)
      expect(file.text()).to.equal(one)
      expect(file).to.include({ etag, size: one.length, contentType: 'text/plain; charset=utf-8' })
      expect(file.modifiedMs).to.equal((await other.head(path))?.modifiedMs)
      expect(await me.get(path, { ifNoneMatch: etag })).to.deep.equal({ notModified: true, path, etag })
      expect(on.sent.some(({ headers }) => headers.has('authorization'))).to.equal(false)
    })

    it('is replaced as the version that came, and updated', async () => {
      await me.get(path)
      await me.put(path, two)
      await me.update(path, (now) => `${now?.text()}three`)
      expect((await other.get(path)).text()).to.equal(`${two}three`)
      await replace()
      expect(await rejection(me.put(path, one))).to.include({ code: 'precondition-failed' })
    })

    it('gives a range', async () => {
      const file = await me.get(path, { range: { first: 4, last: 6 } })
      expect([file.text(), file.size, file.etag]).to.deep.equal(['one', one.length, etag])
    })

    it('is never taken for the version that came right before or after', async () => {
      let isReplaced = false
      on.road = async ({ name: request }, go) => {
        const answer = await go()
        if (request === 'GET reader' && !isReplaced) {
          isReplaced = true
          await replace()
        }
        return answer
      }
      const file = await me.get(path)
      const now = await other.head(path)
      expect([file.text(), file.etag]).to.deep.equal([two, now?.etag])
    })

    it('that is gone by then is not there', async () => {
      on.road = async ({ name: request }, go) => {
        const answer = await go()
        if (request === 'GET reader') await other.delete(path, { anyVersion: true })
        return answer
      }
      expect(await rejection(me.get(path))).to.include({ code: 'not-found' })
    })

    it('goes on where the connection breaks, each time by way of the reader', async () => {
      on.road = cutting(2)
      expect((await me.get(path)).text()).to.equal(one)
      expect(reads()).to.be.within(4, 5)
      const resumed = on.sent.filter(({ headers }) => headers.has('range'))
      expect(resumed.map(({ headers }) => headers.get('if-match'))).to.deep.equal([null, null, null])
    })

    it('is not mixed with the version that replaced it meanwhile', async () => {
      on.road = cutting(0, replace)
      const opened = await me.get(path, { asStream: true })
      const error = await rejection(new Response(opened.stream).text())
      expect(error).to.be.an.instanceOf(TransferError)
      expect(error).to.include({ code: 'changed-while-reading' })
    })

    it('goes on also where the storage tells a page nothing of its version', async () => {
      const cut = cutting(0)
      on.road = async (sent, go) =>
        cut(sent, async () => {
          const answer = await go()
          return answer.redirected ? without('etag', answer) : answer
        })
      const file = await me.get(path)
      expect([file.text(), file.etag]).to.deep.equal([one, etag])
    })
  })
}

/**
 * Lets answers with the bytes of a file break off after half of what they hold: the first, and so many of those that
 * go on.
 * @param then happens before it breaks
 */
function cutting(resumed: number, then: () => Promise<unknown> = () => Promise.resolve()): Road {
  let left = resumed
  return async ({ name, headers }, go) => {
    const answer = await go()
    if (name !== 'GET reader' || (headers.has('range') && left-- <= 0)) return answer
    const bytes = new Uint8Array(await answer.arrayBuffer())
    const parts = [bytes.subarray(0, bytes.length / 2)]
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const part = parts.shift()
        if (part !== undefined) {
          controller.enqueue(part)
          return
        }
        await then()
        controller.error(new TypeError('terminated'))
      },
    })
    return like(answer, new Response(body, answer))
  }
}

function without(header: string, answer: Response): Response {
  const headers = new Headers(answer.headers)
  headers.delete(header)
  return like(answer, new Response(answer.body, { status: answer.status, headers }))
}

function like({ url, redirected }: Response, answer: Response): Response {
  return Object.defineProperties(answer, { url: { value: url }, redirected: { value: redirected } })
}
