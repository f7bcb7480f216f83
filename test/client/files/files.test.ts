import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { type FileInfo, generateSigner, PreconditionFailedError } from '../../../client/index.ts'
import { collect } from '../collect.ts'
import { rejection } from '../rejection.ts'
import { suiteStage } from '../sdk-stage.ts'

for (const [whose, makeSigner] of [
  ['a Stacks key', null],
  ['a P-256 key', () => generateSigner('P-256')],
] as const) {
  describe(`the files of ${whose}`, () => {
    const on = suiteStage(() => ({ pageSize: 3 }))
    let me: Connection
    let other: Connection
    before(async () => {
      const signer = makeSigner === null ? {} : { signer: await makeSigner() }
      me = await on.stage.connect(signer)
      other = await on.stage.connect(signer)
    })

    describe('are listed', () => {
      const names = Array.from({ length: 10 }, (_, i) => `list/${i}`)
      before(() => Promise.all(names.map((name) => me.put(name, name, { contentType: 'text/x-name' }))))

      it('over as many pages as it takes', async () => {
        expect(await collect(me.list({ prefix: 'list/' }))).to.deep.equal(names)
        expect(await collect(me.list())).to.include.members(names)
      })

      it('by the beginning of their names, cut anywhere', async () => {
        expect(await collect(me.list({ prefix: 'list/7' }))).to.deep.equal(['list/7'])
        expect(await collect(me.list({ prefix: 'nothing' }))).to.deep.equal([])
        expect(await rejection(collect(me.list({ prefix: '../' })))).to.include({ code: 'bad-path' })
      })

      it('with what is known of each', async () => {
        const infos: FileInfo[] = await collect(me.list({ prefix: 'list/4', stat: true }))
        expect(infos).to.deep.equal([await me.head('list/4')])
        expect(infos[0]).to.include({ size: 6, contentType: 'text/x-name' })
      })

      it('only as far as somebody looks', async () => {
        for await (const path of me.list({ prefix: 'list/' })) {
          expect(path).to.equal('list/0')
          break
        }
      })

      it('until the signal aborts', async () => {
        const signal = AbortSignal.abort(new Error('enough'))
        expect((await rejection(collect(me.list({ signal })))).message).to.equal('enough')
      })
    })

    describe('keep their history where they are told to', () => {
      it('and what was there can be restored, without losing what is', async () => {
        await me.put('dir/diary', 'one', { keepHistory: true, contentType: 'text/x-diary' })
        await me.put('dir/diary', 'two', { keepHistory: true })
        await me.put('dir/diary', 'three', { keepHistory: true })
        await me.put('dir/diary2', 'other', { keepHistory: true })
        const versions = await me.history('dir/diary')
        const texts = await Promise.all(versions.map(async ({ path }) => (await me.get(path)).text()))
        expect(texts).to.deep.equal(['two', 'one'])
        expect(versions.map((version) => version.of)).to.deep.equal(['dir/diary', 'dir/diary'])
        const [, oldest] = versions
        if (oldest === undefined) throw new Error('there are two')
        expect(oldest.replacedMs).to.be.within(Date.now() - 20_000, Date.now() + 20_000)

        await me.restore(oldest)
        const now = await me.get('dir/diary')
        expect(now.text()).to.equal('one')
        expect(now.contentType).to.equal('text/x-diary')
        expect(await me.history('dir/diary')).to.have.lengthOf(3)
        await me.put('dir/diary', 'four')
      })

      it('also through a delete and an update', async () => {
        await me.put('kept', 'one')
        await me.update('kept', () => 'two', { keepHistory: true })
        await me.delete('kept', { keepHistory: true })
        expect(await me.head('kept')).to.equal(null)
        const [youngest, ...others] = await me.history('kept')
        expect(others).to.have.lengthOf(1)
        if (youngest === undefined) throw new Error('there is one')
        await me.restore(youngest)
        expect((await me.get('kept')).text()).to.equal('two')
      })

      it('and have none where nothing was ever replaced', async () => {
        await me.put('plain', 'one')
        await me.put('plain', 'two')
        expect(await me.history('plain')).to.deep.equal([])
        expect(await me.history('missing')).to.deep.equal([])
      })
    })

    describe('are deleted', () => {
      it('in the version that was seen only', async () => {
        await me.put('seen', 'one')
        await other.put('seen', 'two', { overwrite: true })
        const error = await rejection(me.delete('seen'))
        expect(error).to.be.an.instanceOf(PreconditionFailedError)
        expect(error.message).to.include('anyVersion: true')
        expect((await other.get('seen')).text()).to.equal('two')
        expect(await me.delete('seen', { anyVersion: true })).to.equal(true)
      })

      it('unseen, where nobody has looked', async () => {
        await other.put('unseen', 'x')
        expect(await me.delete('unseen')).to.equal(true)
      })

      it('in the version that is named', async () => {
        const { etag } = await me.put('named', 'x')
        expect(await rejection(me.delete('named', { ifMatch: '"other"' }))).to.include({ status: 412 })
        expect(await me.delete('named', { ifMatch: etag })).to.equal(true)
      })

      it('once: what is gone was not there', async () => {
        await me.put('gone', 'x')
        await other.delete('gone')
        expect(await me.delete('gone')).to.equal(false)
        expect(await me.delete('never')).to.equal(false)
      })
    })

    describe('are updated', () => {
      it('from nothing, and from what is there, whose type stays', async () => {
        const append = (now: { text(): string } | null) => `${now?.text() ?? ''}x`
        await me.update('grown', append, { contentType: 'text/x-grown' })
        await other.update('grown', append)
        await me.update('grown', append)
        const file = await me.get('grown')
        expect(file.text()).to.equal('xxx')
        expect(file.contentType).to.equal('text/x-grown')
      })

      it('not at all where the change gives nothing', async () => {
        const { etag } = await me.put('left', 'x')
        expect(await me.update('left', () => undefined)).to.equal(null)
        expect(await me.head('left')).to.include({ etag })
      })

      it('again where another was faster between reading and writing', async () => {
        await me.put('raced', '0')
        let isFirst = true
        await me.update('raced', async (now) => {
          if (isFirst) await other.put('raced', '10', { overwrite: true })
          isFirst = false
          return String(Number(now?.text()) + 1)
        })
        expect((await me.get('raced')).text()).to.equal('11')
      })

      it('not where the change fails', async () => {
        await me.put('failed', 'x')
        const fault = new Error('no')
        const change = () => Promise.reject(fault)
        expect(await rejection(me.update('failed', change))).to.equal(fault)
      })

      it('no longer than the options say', async () => {
        const hurried = await on.stage.connect({
          signer: me.transport.signer,
          updateRetry: { maxElapsedMs: 50, baseDelayMs: 5 },
        })
        const race = async () => {
          await other.put('hopeless', String(Math.random()), { overwrite: true })
          return 'mine'
        }
        expect(await rejection(hurried.update('hopeless', race))).to.be.an.instanceOf(PreconditionFailedError)
      })
    })

    it('are found where publicUrl says', async () => {
      await me.put('a b/č', 'x')
      expect(await (await fetch(me.publicUrl('a b/č'))).text()).to.equal('x')
    })

    it('are at a hub that says what it is', async () => {
      expect(await me.info()).to.deep.equal(me.hub)
      expect(me.hub).to.deep.include({
        did: 'did:web:hub.example',
        maxFileBytes: 1_048_576,
        maxUcanBytes: 16_384,
      })
      expect(me.hub.extensions).to.include('grants')
    })
  })
}
