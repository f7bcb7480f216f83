import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Storage } from '@stacks/storage'
import { expect } from 'chai'
import { diskDriver } from '../../drivers/disk/index.ts'
import type { Driver } from '../../drivers/driver.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import type { RunningServer } from '../../http/server.ts'
import { type Answer, readFile, startHub, startReader, type TestHub } from '../hub/harness.ts'
import { alice, bob, mallory, person } from '../hub/people.ts'
import { signIn } from './session.ts'

/** The class name of what `@stacks/storage` throws. */
async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    return (error as Error).constructor.name
  }
  throw new Error('it did not fail')
}

function bytesOf(content: unknown): Buffer {
  return Buffer.from(content as Uint8Array)
}

const drivers: [string, (root: string) => Promise<Driver>][] = [
  ['disk', (root) => diskDriver({ root })],
  ['memory', async () => memoryDriver()],
]

for (const [name, openDriver] of drivers) {
  describe(`@stacks/storage over the ${name} driver`, () => {
    let root: string
    let driver: Driver
    let reader: RunningServer
    let hub: TestHub
    let storage: Storage

    before(async () => {
      root = await mkdtemp(join(tmpdir(), 'mandate-e2e-'))
      driver = await openDriver(root)
      reader = await startReader(driver)
      hub = await startHub({ driver, readUrlPrefix: `${reader.url}/`, pageSize: 3 })
    })
    after(async () => {
      await hub.close()
      await reader.close()
      await driver.close()
      await rm(root, { recursive: true, force: true })
    })
    beforeEach(() => {
      storage = signIn(alice, hub.url)
    })

    const stored = (path: string): Promise<Answer> => readFile(reader.url, alice.address, path)

    describe('encrypts and signs', () => {
      const text = 'a secret: caf\u00e9 😀'
      const binary = randomBytes(5000)

      for (const sign of [false, true]) {
        const title = sign ? 'encrypted and signed' : 'encrypted'

        it(`${title} text`, async () => {
          const path = `notes/${title}.txt`
          const url = await storage.putFile(path, text, { sign })
          expect(await storage.getFile(path, { verify: sign })).to.equal(text)
          const answer = await stored(path)
          expect(answer.headers.get('content-type')).to.equal('application/json')
          expect(answer.body.toString()).not.to.include('secret')
          expect((await fetch(url)).status).to.equal(200)
        })

        it(`${title} bytes`, async () => {
          const path = `blobs/${title}.bin`
          await storage.putFile(path, binary, { sign })
          expect(bytesOf(await storage.getFile(path, { verify: sign })).equals(binary)).to.equal(true)
        })
      }

      it('text that is signed but plain, in two files', async () => {
        await storage.putFile('signed.txt', text, { encrypt: false, sign: true, contentType: 'text/plain' })
        expect(await storage.getFile('signed.txt', { decrypt: false, verify: true })).to.equal(text)
        expect((await stored('signed.txt.sig')).headers.get('content-type')).to.equal('application/json')
      })

      it('bytes that are signed but plain', async () => {
        const options = { encrypt: false, sign: true, contentType: 'image/png' }
        await storage.putFile('signed.png', binary, options)
        const found = await storage.getFile('signed.png', { decrypt: false, verify: true })
        expect(bytesOf(found).equals(binary)).to.equal(true)
      })

      it('so that a forged content does not verify', async () => {
        await storage.putFile('forged.txt', text, { encrypt: false, sign: true, contentType: 'text/plain' })
        await hub.store('forged.txt', 'forged', { by: alice, headers: { 'Content-Type': 'text/plain' } })
        const outcome = failure(storage.getFile('forged.txt', { decrypt: false, verify: true }))
        expect(await outcome).to.equal('SignatureVerificationError')
      })
    })

    describe('stores as it is told, without encryption,', () => {
      for (const [what, path, content, contentType] of [
        ['text', 'plain.txt', 'plain caf\u00e9', 'text/plain; charset=utf-8'],
        ['JSON', 'data.json', '{"a":1}', 'application/json'],
        ['an empty text', 'empty.txt', '', 'text/plain'],
        ['a name with blanks', 'my folder/my file.txt', 'x', 'text/plain'],
        ['a name beyond ASCII', 'caf\u00e9/😀.txt', 'x', 'text/plain'],
      ] as const) {
        it(what, async () => {
          await storage.putFile(path, content, { encrypt: false, contentType })
          expect(await storage.getFile(path, { decrypt: false })).to.equal(content)
          expect((await stored(path)).headers.get('content-type')).to.equal(contentType)
        })
      }

      it('bytes, as an ArrayBuffer', async () => {
        const content = randomBytes(100_000)
        await storage.putFile('photo.png', content, { encrypt: false, contentType: 'image/png' })
        const found = await storage.getFile('photo.png', { decrypt: false })
        expect(found).to.be.an.instanceOf(ArrayBuffer)
        expect(Buffer.from(found as ArrayBuffer).equals(content)).to.equal(true)
      })
    })

    it('lists every file once, over several pages', async () => {
      const lister = person(`lister over ${name}`)
      const theirs = signIn(lister, hub.url)
      const names = Array.from({ length: 8 }, (_, i) => `list/${i}.txt`)
      for (const path of names) await theirs.putFile(path, 'x', { encrypt: false })
      const seen: string[] = []
      const count = await theirs.listFiles((path) => {
        seen.push(path)
        return true
      })
      expect(count).to.equal(8)
      expect(seen).to.deep.equal(names)
    })

    it('lists nothing for one who has nothing', async () => {
      expect(await signIn(mallory, hub.url).listFiles(() => true)).to.equal(0)
    })

    describe('keeps versions apart', () => {
      const plain = { encrypt: false, contentType: 'text/plain' }

      it('overwrites after a store of its own', async () => {
        for (const content of ['one', 'two', 'three']) await storage.putFile('again.txt', content, plain)
        expect(await storage.getFile('again.txt', { decrypt: false })).to.equal('three')
      })

      it('overwrites after a read, with the etag that the reader gave', async () => {
        await storage.putFile('read.txt', 'one', plain)
        const phone = signIn(alice, hub.url)
        expect(await phone.getFile('read.txt', { decrypt: false })).to.equal('one')
        await phone.putFile('read.txt', 'two', plain)
        expect(await storage.getFile('read.txt', { decrypt: false })).to.equal('two')
      })

      it('is refused with a stale etag, and the newer content stays', async () => {
        await storage.putFile('stale.txt', 'one', plain)
        const phone = signIn(alice, hub.url)
        await phone.getFile('stale.txt', { decrypt: false })
        await phone.putFile('stale.txt', "the phone's", plain)
        expect(await failure(storage.putFile('stale.txt', 'lost?', plain))).to.equal(
          'PreconditionFailedError',
        )
        expect((await stored('stale.txt')).body.toString()).to.equal("the phone's")
      })

      it('is refused where it takes a file for new that is not', async () => {
        await storage.putFile('new.txt', 'one', plain)
        const phone = signIn(alice, hub.url)
        expect(await failure(phone.putFile('new.txt', 'two', plain))).to.equal('PreconditionFailedError')
      })

      it('overwrites without a look where it is told to', async () => {
        await storage.putFile('forced.txt', 'one', plain)
        await signIn(alice, hub.url).putFile('forced.txt', 'two', { ...plain, dangerouslyIgnoreEtag: true })
        expect((await stored('forced.txt')).body.toString()).to.equal('two')
      })
    })

    describe('deletes', () => {
      it('a file, which can be stored anew', async () => {
        await storage.putFile('gone.txt', 'x', { encrypt: false })
        await storage.deleteFile('gone.txt')
        expect(await failure(storage.getFile('gone.txt', { decrypt: false }))).to.equal('DoesNotExist')
        await storage.putFile('gone.txt', 'back', { encrypt: false, contentType: 'text/plain' })
        expect(await storage.getFile('gone.txt', { decrypt: false })).to.equal('back')
      })

      it('a signed file with its signature', async () => {
        await storage.putFile('gone-signed.txt', 'x', { encrypt: false, sign: true })
        await storage.deleteFile('gone-signed.txt', { wasSigned: true })
        for (const path of ['gone-signed.txt', 'gone-signed.txt.sig']) {
          expect((await stored(path)).status).to.equal(404)
        }
      })

      it('nothing where nothing is', async () => {
        expect(await failure(storage.deleteFile('never.txt'))).to.equal('DoesNotExist')
      })
    })

    it('is told that a file is missing', async () => {
      expect(await failure(storage.getFile('missing.txt', { decrypt: false }))).to.equal('DoesNotExist')
    })

    it("reads another's public file by its URL, and cannot decrypt a private one", async () => {
      await storage.putFile('for-bob.txt', 'hello bob', { encrypt: bob.publicKeyHex })
      const content = (await stored('for-bob.txt')).body.toString()
      const bobs = signIn(bob, hub.url).userSession
      expect(await bobs.decryptContent(content)).to.equal('hello bob')
      const outcome = failure(Promise.resolve(signIn(mallory, hub.url).userSession.decryptContent(content)))
      expect(await outcome).to.equal('FailedDecryptionError')
    })
  })
}
