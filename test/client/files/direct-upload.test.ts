import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import {
  BadAnswerError,
  ConflictError,
  generateStacksSigner,
  type MandateError,
  NetworkError,
  NotAuthorizedError,
  OutcomeUnknownError,
  PreconditionFailedError,
  ServerError,
  Wallet,
} from '../../../client/index.ts'
import { sealing, stacksOpeningKey } from '../../../client/seal/index.ts'
import { somebody } from '../delegation/people.ts'
import {
  after as afterThat,
  answered,
  type DirectStage,
  lost,
  startDirectStage,
  thresholdBytes,
  unreachable,
  uploadsMeet,
  withoutHeaders,
} from '../direct-stage.ts'
import { rejection } from '../rejection.ts'
import { directStorages } from './direct-storages.ts'

const large = (text: string) => text.padEnd(thresholdBytes + 1, '.')
const direct = ['POST hub /upload', 'PUT storage']
const throughHub = ['POST hub /store']

for (const [name, open] of directStorages) {
  describe(`a large file, which goes to ${name} itself`, () => {
    const makeHarness = open()
    const closing: (() => Promise<unknown>)[] = []
    let on: DirectStage
    let hurried: DirectStage
    before(async () => {
      const harness = await makeHarness()
      on = await startDirectStage(harness)
      hurried = await startDirectStage(harness, { lifetimeSeconds: 1 })
      closing.push(
        () => on.close(),
        () => hurried.close(),
        () => harness.close(),
      )
    })
    after(async () => {
      for (const close of closing) await close()
    })

    let me: Connection
    let other: Connection
    beforeEach(async () => {
      on.road = (_, go) => go()
      me = await on.connect()
      other = await on.connect({ fetch })
      on.sent.length = 0
    })
    const textAt = async (path: string) => (await other.get(path)).text()
    const theyPut = (path: string, text: string) => () => other.put(path, text, { overwrite: true })

    it('is stored with its type, under the etag that the reader tells, and is replaced as that version', async () => {
      const path = 'photos/my cat #1.png'
      const one = await me.put(path, large('one'), { contentType: 'image/png; q="a, b"' })
      expect(on.names()).to.deep.equal(direct)
      const head = await other.head(path)
      expect([head?.etag, head?.contentType, head?.size]).to.deep.equal([
        one.etag,
        'image/png; q="a, b"',
        large('one').length,
      ])
      expect(one.publicUrl).to.equal(other.publicUrl(path))
      const two = await me.put(path, large('two'))
      expect(two.etag).not.to.equal(one.etag)
      expect(await textAt(path)).to.equal(large('two'))
      expect(
        on.sent.filter(({ to }) => to === 'storage').map(({ headers }) => headers.get('authorization')),
      ).to.deep.equal([null, null])
    })

    for (const [what, data, size] of [
      ['bytes', new Uint8Array(70_000).fill(7), undefined],
      ['a Blob', new Blob([new Uint8Array(70_000).fill(7)]), undefined],
      ['a stream whose size is told', () => new Blob([new Uint8Array(70_000).fill(7)]).stream(), 70_000],
    ] as const) {
      it(`is told of as it goes: ${what}`, async () => {
        const seen: number[] = []
        const options = size === undefined ? {} : { size }
        await me.put(`as ${what}`, data, { ...options, onProgress: ({ loaded }) => seen.push(loaded) })
        expect(on.names()).to.deep.equal(direct)
        expect(seen.at(-1)).to.equal(70_000)
        expect((await other.get(`as ${what}`)).bytes).to.deep.equal(new Uint8Array(70_000).fill(7))
      })
    }

    it('is no file of the threshold or below, and none whose size nobody knows', async () => {
      await me.put('small', '.'.repeat(thresholdBytes))
      await me.put('of unknown size', () => new Blob([large('x')]).stream())
      expect(on.names()).to.deep.equal([...throughHub, ...throughHub])
    })

    it('replaces nothing that this connection has not seen, unless it is told to', async () => {
      await theyPut('theirs', large('theirs'))()
      expect(await rejection(me.put('theirs', large('mine')))).to.be.an.instanceOf(PreconditionFailedError)
      expect(await textAt('theirs')).to.equal(large('theirs'))
      await me.put('theirs', large('mine'), { overwrite: true })
      expect(await textAt('theirs')).to.equal(large('mine'))
    })

    it('gives way to whoever comes between the leave and the upload', async () => {
      on.road = uploadsMeet(afterThat(theyPut('raced', large('theirs'))))
      const error = await rejection(me.put('raced', large('mine')))
      expect(error).to.be.an.instanceOf(PreconditionFailedError)
      expect(error).to.include({ status: 412, answerLost: false })
      expect(await textAt('raced')).to.equal(large('theirs'))
    })

    it('loses no update, though others update it meanwhile', async () => {
      await me.put('list', `${large('')}a`)
      on.road = uploadsMeet(afterThat(() => other.update('list', (now) => `${now?.text()}b`)))
      await me.update('list', (now) => `${now?.text()}c`)
      expect((await textAt('list')).replaceAll('.', '')).to.equal('abc')
    })

    it('is known again where the answer was lost', async () => {
      on.road = uploadsMeet(lost)
      const { etag } = await me.put('lost', large('one'))
      expect(etag).to.equal((await other.head('lost'))?.etag)
      on.road = uploadsMeet(lost, answered(503))
      await me.put('lost', new Blob([large('two')]))
      expect(await textAt('lost')).to.equal(large('two'))
    })

    it('is not taken for one of somebody else that came after it', async () => {
      on.road = uploadsMeet(async (go) => {
        await go()
        await theyPut('lost to theirs', large('theirs'))()
        throw new TypeError('fetch failed')
      })
      const error = await rejection(me.put('lost to theirs', large('mine')))
      expect(error).to.be.an.instanceOf(PreconditionFailedError)
      expect(error).to.include({ answerLost: true })
      expect(await textAt('lost to theirs')).to.equal(large('theirs'))
    })

    it('is updated on where nothing but the leave was lost, and others came meanwhile', async () => {
      await me.put('leave lost', large('a'))
      let isLost = false
      on.road = async ({ name: request }, go) => {
        const answer = await go()
        if (request !== 'POST hub /upload' || isLost) return answer
        isLost = true
        await theyPut('leave lost', large('b'))()
        throw new TypeError('fetch failed')
      }
      await me.update('leave lost', (now) => `${now?.text()}c`)
      expect(await textAt('leave lost')).to.equal(`${large('b')}c`)
    })

    it('is never updated twice: whether it was is told to be unknown', async () => {
      await me.put('counter', large('5'))
      on.road = uploadsMeet(lost)
      const count = (text = '') => large(String(Number.parseInt(text, 10) + 1))
      const error = await rejection(me.update('counter', (now) => count(now?.text())))
      expect(error).to.be.an.instanceOf(OutcomeUnknownError)
      expect(await textAt('counter')).to.equal(large('6'))
    })

    it('goes by a new leave where the first one has expired, and as a stream says so', async () => {
      const late = await hurried.connect()
      const isOver = () => new Promise((resolve) => setTimeout(resolve, 2_100))
      hurried.road = uploadsMeet(afterThat(isOver), afterThat(isOver))
      hurried.sent.length = 0
      const stream = new Blob([large('')]).stream()
      const [error] = await Promise.all([
        rejection(late.put('too late', stream, { size: large('').length })),
        late.put('late', () => new Blob([large('late')]).stream(), { size: large('late').length }),
      ])
      expect(hurried.names().filter((request) => request === 'PUT storage').length).to.equal(3)
      expect(await textAt('late')).to.equal(large('late'))
      expect(error).to.include({ code: 'expired' })
      expect(error.message).to.include('not tried again')
      expectNoSignature(error)
    })

    for (const status of [409, 429, 500, 503]) {
      it(`is tried again where the storage answers ${status}`, async () => {
        on.road = uploadsMeet(answered(status), answered(status))
        await me.put(`again ${status}`, large('x'))
        expect(on.names()).to.deep.equal([...direct, ...direct, ...direct])
      })
    }

    for (const [status, Refusal] of [
      [409, ConflictError],
      [503, ServerError],
    ] as const) {
      it(`fails in the end where the storage answers ${status} again and again`, async () => {
        const once = await on.connect({ retry: { maxElapsedMs: 0 } })
        on.road = uploadsMeet(answered(status, 'SlowDown'))
        const error = await rejection(once.put(`never ${status}`, large('x')))
        expect(error).to.be.an.instanceOf(Refusal)
        expect(error.message).to.equal(`the storage refused the upload (SlowDown, ${status})`)
      })
    }

    it('goes through the hub where the storage is out of reach, and so do those after it', async () => {
      on.road = uploadsMeet(unreachable, unreachable)
      await me.put('roundabout', large('one'))
      expect(on.names()).to.deep.equal([...direct, ...direct, ...throughHub])
      await me.put('roundabout', large('two'))
      await me.at(me.address).put('another', large('three'))
      expect(on.names().slice(5)).to.deep.equal([...throughHub, ...throughHub])
      expect(await textAt('roundabout')).to.equal(large('two'))
    })

    it('is known again where a storage that is out of hearing had taken it before the hub did', async () => {
      on.road = uploadsMeet(unreachable, lost)
      const { etag } = await me.put('heard late', large('one'))
      expect(on.names().slice(0, 5)).to.deep.equal([...direct, ...direct, ...throughHub])
      expect(etag).to.equal((await other.head('heard late'))?.etag)
    })

    it('goes through the hub where the storage refuses it twice', async () => {
      on.road = uploadsMeet(answered(403), answered(403))
      await me.put('refused', large('one'))
      expect(on.names()).to.deep.equal([...direct, ...direct, ...throughHub])
    })

    it('fails with word of both ways where the hub does not take it either', async () => {
      const uploads = uploadsMeet(unreachable, unreachable)
      on.road = (sent, go) =>
        sent.name === 'POST hub /store'
          ? Promise.resolve(new Response('', { status: 413 }))
          : uploads(sent, go)
      const error = await rejection(me.put('nowhere', large('x')))
      expect(error).to.include({ code: 'payload-too-large', status: 413 })
      expect(error.message).to.match(
        /the answer was 413; .* no answer from 127\.0\.0\.1:\d+, .*CORS rules of the bucket/,
      )
      expectNoSignature(error)
    })

    it('as a stream that is out of reach fails, with the words to look at', async () => {
      on.road = uploadsMeet(unreachable)
      const error = await rejection(me.put('stream', new Blob([large('')]).stream(), { size: 101 }))
      expect(error).to.be.an.instanceOf(NetworkError)
      expect(error.message).to.include('CORS rules').and.to.include('not tried again')
      expect(error).to.include({ answerLost: true })
      expectNoSignature(error)
    })

    it('that keeps history goes there where it is new, and through the hub where it replaces', async () => {
      await me.put('kept', large('one'), { keepHistory: true })
      expect(on.names()).to.deep.equal(direct)
      await me.put('kept', large('two'), { keepHistory: true })
      expect(on.names()).to.include.members(throughHub)
      expect(await textAt('kept')).to.equal(large('two'))
      const [former] = await other.history('kept')
      expect(await textAt(former?.path ?? '')).to.equal(large('one'))
    })

    it('ends with the reason of the signal, and is not stored', async () => {
      const controller = new AbortController()
      on.road = uploadsMeet(afterThat(() => controller.abort(new Error('enough'))))
      const error = await rejection(me.put('aborted', large('x'), { signal: controller.signal }))
      expect(error.message).to.equal('enough')
      expect(await other.head('aborted')).to.equal(null)
    })

    it('whose etag the storage keeps from the page is read again for it', async () => {
      on.road = uploadsMeet(withoutHeaders)
      const { etag } = await me.put('unnamed', large('one'))
      expect(etag).to.equal((await other.head('unnamed'))?.etag)
    })

    it('whose etag is not told is never taken for the version of somebody else', async () => {
      on.road = uploadsMeet(async (go) => {
        const answer = await withoutHeaders(go)
        await theyPut('unnamed, replaced', large('theirs'))()
        return answer
      })
      const error = await rejection(me.put('unnamed, replaced', large('mine')))
      expect(error).to.be.an.instanceOf(BadAnswerError)
      expect(error).to.include({ answerLost: true })
      expect(await rejection(me.put('unnamed, replaced', large('again')))).to.be.an.instanceOf(
        PreconditionFailedError,
      )
      expect(await textAt('unnamed, replaced')).to.equal(large('theirs'))
    })

    it('may be sealed', async () => {
      const signer = generateStacksSigner()
      const sealed = await on.connect({ signer, sealing: sealing({ keys: [stacksOpeningKey(signer)] }) })
      on.sent.length = 0
      on.road = uploadsMeet(withoutHeaders)
      const bytes = new Uint8Array(10_000).fill(3)
      await sealed.put('sealed', bytes, { sealFor: [sealed.did] })
      expect(on.names()).to.include.members(direct)
      expect((await sealed.get('sealed')).bytes).to.deep.equal(bytes)
    })

    describe('of bob, who writes for alice', () => {
      let bob: Connection
      before(async () => {
        const { signer, did } = await somebody('P-256')
        const wallet = new Wallet()
        const alice = await on.connect()
        const caveats = { maxSize: 200, contentType: ['image/*'], createOnly: true } as const
        const given = await alice.delegate({ to: did, path: 'inbox/', can: 'store', expires: '1d', caveats })
        await wallet.add(given.toString())
        bob = (await on.connect({ signer, wallet })).at(alice.address)
      })
      const image = { contentType: 'image/png' }

      it('goes as far as his delegation does', async () => {
        await bob.put('inbox/cat.png', large('a cat'), image)
        expect(on.names()).to.deep.equal(direct)
        for (const [path, data, options] of [
          ['inbox/large.png', 'x'.repeat(201), image],
          ['inbox/cat.txt', large('a cat'), {}],
          ['outbox/cat.png', large('a cat'), image],
        ] as const) {
          const { status } = (await rejection(bob.put(path, data, options))) as MandateError
          expect(status, path).to.be.oneOf([401, 403])
          expect(await other.head(path)).to.equal(null)
        }
      })

      it('replaces nothing, not even what comes between the leave and the upload', async () => {
        on.road = uploadsMeet(afterThat(theyPut('inbox/raced.png', large('theirs'))))
        const error = await rejection(bob.put('inbox/raced.png', large('his'), { ...image, overwrite: true }))
        expect(error).to.be.an.instanceOf(NotAuthorizedError)
        expect(await textAt('inbox/raced.png')).to.equal(large('theirs'))
      })
    })
  })
}

/** Nothing of a signed URL may stand in what goes to logs. */
function expectNoSignature(error: unknown): void {
  for (let at = error; at instanceof Error; at = at.cause) {
    expect(`${at.message} ${JSON.stringify(at)} ${at.stack}`).not.to.match(/signature|credential/i)
  }
  expect((error as MandateError).cause).to.equal(undefined)
}
