import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { NotFoundError, TransferError } from '../../../client/index.ts'
import { faultyStage } from '../faulty-stage.ts'
import { rejection } from '../rejection.ts'

const content = 'The quick brown fox jumps over the lazy dog'

describe('get', () => {
  const on = faultyStage()
  let me: Connection
  before(async () => {
    me = await on.stage.connect()
    await me.put('fox', content, { contentType: 'text/x-fox' })
    await me.put('empty', '')
  })
  const reads = () => on.stage.toReader.requests.length
  const textOf = (stream: ReadableStream<Uint8Array>) =>
    new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).text()

  it('gives the file and what is known of it', async () => {
    const file = await me.get('fox')
    expect(file).to.include({
      path: 'fox',
      size: content.length,
      contentType: 'text/x-fox',
      notModified: false,
    })
    expect(file.text()).to.equal(content)
    expect(Math.abs(file.modifiedMs - Date.now())).to.be.below(20_000)
    expect(file).to.include({ etag: (await me.head('fox'))?.etag })
  })

  it('gives JSON', async () => {
    await me.put('data.json', '{"a":[1]}')
    expect((await me.get('data.json')).json()).to.deep.equal({ a: [1] })
  })

  it('fails where there is none', async () => {
    const error = await rejection(me.get('missing'))
    expect(error).to.be.an.instanceOf(NotFoundError)
    expect(error).to.include({ code: 'not-found', status: 404, hubError: 'DoesNotExist' })
    expect(await rejection(me.get('missing', { asStream: true }))).to.be.an.instanceOf(NotFoundError)
  })

  for (const [what, range, expected] of [
    ['from one byte to another', { first: 4, last: 8 }, 'quick'],
    ['to the end', { first: 40 }, 'dog'],
    ['beyond the end', { first: 40, last: 1000 }, 'dog'],
    ['of the last bytes', { suffix: 3 }, 'dog'],
    ['of more last bytes than there are', { suffix: 1000 }, content],
  ] as const) {
    it(`gives a range ${what}, in memory and as a stream`, async () => {
      const file = await me.get('fox', { range })
      expect(file.text()).to.equal(expected)
      expect(file.size).to.equal(content.length)
      expect(await textOf((await me.get('fox', { range, asStream: true })).stream)).to.equal(expected)
    })

    it(`gives a range ${what} also where the reader knows of none`, async () => {
      on.stage.toReader.decide = (request) => {
        delete request.headers.range
        return { do: 'pass' }
      }
      expect((await me.get('fox', { range })).text()).to.equal(expected)
    })
  }

  it('refuses a range outside of the file, and one that is none', async () => {
    expect(await rejection(me.get('fox', { range: { first: 43 } }))).to.include({
      code: 'range-not-satisfiable',
    })
    expect(await rejection(me.get('fox', { range: { first: -1 } }))).to.include({ code: 'invalid-input' })
  })

  it('says that the file is still the version that one has', async () => {
    const { etag } = await me.get('fox')
    expect(await me.get('fox', { ifNoneMatch: etag })).to.include({ notModified: true, etag })
    const other = await me.get('fox', { ifNoneMatch: '"other"' })
    expect(other.notModified).to.equal(false)
    const stream = await me.get('fox', { ifNoneMatch: etag, asStream: true })
    expect(stream.notModified).to.equal(true)
  })

  it('gives a stream, and tells how far it is', async () => {
    const seen: unknown[] = []
    const file = await me.get('fox', { asStream: true, onProgress: (progress) => seen.push(progress) })
    expect(await textOf(file.stream)).to.equal(content)
    expect(seen.at(-1)).to.deep.equal({ loaded: content.length, total: content.length })
  })

  it('gives a file without bytes', async () => {
    expect((await me.get('empty')).text()).to.equal('')
    expect(await textOf((await me.get('empty', { asStream: true })).stream)).to.equal('')
  })

  it('takes an etag for what it is, though something in between made it weak', async () => {
    const weakening: typeof fetch = async (...args) => {
      const response = await fetch(...args)
      const etag = response.headers.get('etag')
      const headers = new Headers(response.headers)
      if (etag !== null) headers.set('ETag', `W/${etag}`)
      return new Response(response.body, { status: response.status, headers })
    }
    await me.put('weak', 'one')
    const far = await on.stage.connect({ fetch: weakening })
    await far.get('weak')
    await far.put('weak', 'two')
    expect((await me.get('weak')).text()).to.equal('two')
  })

  it('refuses to hold more than it is told to', async () => {
    expect(await rejection(me.get('fox', { maxBytes: content.length - 1 }))).to.include({ code: 'too-large' })
    expect((await me.get('fox', { maxBytes: content.length })).text()).to.equal(content)
  })

  it('gives all of a file that was compressed on the way, whatever its headers say', async () => {
    // As a browser shows it, which undoes the compression and tells of none.
    const compressing: typeof fetch = async (...args) => {
      const response = await fetch(...args)
      const headers = new Headers(response.headers)
      if (response.url.endsWith('/fox')) headers.set('Content-Length', '20')
      return new Response(response.body, { status: response.status, headers })
    }
    const far = await on.stage.connect({ fetch: compressing })
    const file = await far.get('fox')
    expect(file.text()).to.equal(content)
    expect(file.size).to.equal(content.length)
  })

  describe('goes on where the connection is cut', () => {
    for (let after = 0; after <= content.length; after += 7) {
      it(`after ${after} bytes, again and again`, async () => {
        let cuts = 0
        on.stage.toReader.decide = () => (++cuts <= 3 ? { do: 'cut the answer', after } : { do: 'pass' })
        expect((await me.get('fox')).text()).to.equal(content)
        cuts = 0
        expect(await textOf((await me.get('fox', { asStream: true })).stream)).to.equal(content)
      })
    }

    it('within a range', async () => {
      let cuts = 0
      on.stage.toReader.decide = () => (++cuts <= 3 ? { do: 'cut the answer', after: 2 } : { do: 'pass' })
      expect((await me.get('fox', { range: { first: 4, last: 18 } })).text()).to.equal('quick brown fox')
    })

    it('at a reader that knows of no ranges', async () => {
      let cuts = 0
      on.stage.toReader.decide = (request) => {
        delete request.headers.range
        return ++cuts <= 2 ? { do: 'cut the answer', after: 20 } : { do: 'pass' }
      }
      expect((await me.get('fox')).text()).to.equal(content)
    })

    it('or where nothing comes any more', async () => {
      const impatient = await on.stage.connect({ idleTimeoutMs: 50 })
      let stalls = 0
      on.stage.toReader.decide = () =>
        ++stalls <= 2 ? { do: 'stall the answer', after: 10 } : { do: 'pass' }
      expect((await impatient.get('fox')).text()).to.equal(content)
    })

    it('but gives up in the end, and says so', async () => {
      const hurried = await on.stage.connect({ retry: { maxElapsedMs: 100, baseDelayMs: 10 } })
      on.stage.toReader.decide = () => ({ do: 'cut the answer', after: 0 })
      const error = await rejection(hurried.get('fox'))
      expect(error).to.be.an.instanceOf(TransferError)
      expect(error).to.include({ code: 'incomplete-transfer' })
    })
  })

  describe('where the file is replaced while it is read', () => {
    const replaceDuring = (path: string) => {
      let isFirst = true
      on.stage.toReader.decide = async () => {
        if (!isFirst) {
          await me.put(path, `${content}!`, { overwrite: true })
          return { do: 'pass' }
        }
        isFirst = false
        return { do: 'cut the answer', after: 10 }
      }
    }

    it('gives the new version, whole', async () => {
      await me.put('replaced', content)
      replaceDuring('replaced')
      expect((await me.get('replaced')).text()).to.equal(`${content}!`)
    })

    it('is not taken in by a reader that does not know of conditions', async () => {
      await me.put('replaced blindly', content)
      replaceDuring('replaced blindly')
      const { decide } = on.stage.toReader
      on.stage.toReader.decide = (request) => {
        delete request.headers['if-match']
        return decide(request)
      }
      const { stream } = await me.get('replaced blindly', { asStream: true })
      expect(await rejection(textOf(stream))).to.include({ code: 'changed-while-reading' })
    })

    it('fails as a stream, whose beginning is out already', async () => {
      await me.put('replaced too', content)
      replaceDuring('replaced too')
      const { stream } = await me.get('replaced too', { asStream: true })
      expect(await rejection(textOf(stream))).to.include({ code: 'changed-while-reading' })
    })
  })

  it('ends when its signal aborts', async () => {
    const controller = new AbortController()
    on.stage.toReader.decide = () => ({ do: 'stall the answer', after: 10 })
    const read = rejection(me.get('fox', { signal: controller.signal }))
    setTimeout(() => controller.abort(new Error('enough')), 30)
    expect((await read).message).to.equal('enough')
  })

  it('lets go of the connection where its stream is not wanted any more', async () => {
    on.stage.toReader.decide = () => ({ do: 'stall the answer', after: 10 })
    const { stream } = await me.get('fox', { asStream: true })
    const open = [...on.stage.toReader.sockets]
    await stream.cancel()
    while (open.every((socket) => on.stage.toReader.sockets.has(socket))) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    expect(reads()).to.equal(1)
  })
})
