import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { BodyParts } from '../../drivers/body-parts.ts'
import { failure } from '../../drivers/conformance/harness.ts'
import { DriverError } from '../../drivers/errors.ts'
import { GuardedBody } from '../../drivers/guarded-body.ts'

const toError = (cause: unknown) => new DriverError('unavailable', 'mapped', { cause })

function guarded(source: Readable, length: number, stallMs = 1_000): GuardedBody {
  return new GuardedBody(source, { length, stallMs, toError })
}

describe('a guarded body', () => {
  it('brings exactly the bytes that were announced', async () => {
    for (const pieces of [[], ['a'], ['abc', 'de', 'f'.repeat(200_000)]]) {
      const bytes = Buffer.from(pieces.join(''))
      const body = guarded(Readable.from(pieces.map((piece) => Buffer.from(piece))), bytes.length)
      expect((await buffer(body)).equals(bytes)).to.equal(true)
    }
  })

  it('is destroyed when fewer bytes come, or more', async () => {
    const fewer = guarded(Readable.from([Buffer.from('abc')]), 4)
    await failure(buffer(fewer), 'unavailable')
    const more = guarded(Readable.from([Buffer.from('abc'), Buffer.from('de')]), 4)
    await failure(buffer(more), 'backend')
  })

  it('is destroyed when its source fails or is destroyed', async () => {
    const source = new Readable({ read() {} })
    const body = guarded(source, 10)
    source.destroy(new Error('ECONNRESET'))
    expect((await failure(buffer(body), 'unavailable')).message).to.equal('mapped')
    const other = new Readable({ read() {} })
    const cut = guarded(other, 10)
    other.destroy()
    await failure(buffer(cut), 'unavailable')
  })

  it('is destroyed when nothing comes while it is read, and not while it is not', async () => {
    const body = guarded(new Readable({ read() {} }), 10, 30)
    await sleep(100)
    expect(body.destroyed).to.equal(false)
    await failure(buffer(body), 'unavailable')
  })

  it('destroys its source when it is destroyed', async () => {
    const source = new Readable({ read() {} })
    guarded(source, 10).destroy()
    await sleep(1)
    expect(source.destroyed).to.equal(true)
  })
})

describe('the parts of a body', () => {
  /** Cut at odd places, so that pieces and parts never fit. */
  const bytes = Buffer.from(Array.from({ length: 1_000 }, (_, i) => i % 251))
  const body = () => {
    const pieces: Buffer[] = []
    for (let i = 0, length = 1; i < bytes.length; i += length, length = (length * 7) % 97) {
      pieces.push(bytes.subarray(i, i + length))
    }
    return Readable.from(pieces, { objectMode: false })
  }

  for (const into of [undefined, Buffer.alloc(2_000)]) {
    const where = into === undefined ? 'memory of their own' : 'memory that is given'
    for (const size of [1, 10, 333, 500, 999, 1_000, 1_001]) {
      it(`of ${size} bytes, in ${where}, are whole but for the last one`, async () => {
        const parts = new BodyParts(body(), bytes.length)
        const taken: Buffer[] = []
        for (;;) {
          const part = await parts.take(size, into)
          taken.push(Buffer.from(part.bytes))
          if (part.last) break
          expect(part.bytes.length).to.equal(size)
        }
        expect(taken.length).to.equal(Math.ceil(bytes.length / size))
        expect(Buffer.concat(taken).equals(bytes)).to.equal(true)
      })
    }
  }

  it('end with the error of the body, as it is', async () => {
    const error = new Error('the client went away')
    for (const into of [undefined, Buffer.alloc(100)]) {
      const parts = new BodyParts(
        new Readable({
          read() {
            this.destroy(error)
          },
        }),
        undefined,
      )
      const reason = await parts.take(10, into).catch((thrown: unknown) => thrown)
      expect(reason).to.equal(error)
      expect(parts.isFailure(reason)).to.equal(true)
      expect(parts.isFailure(new Error('another'))).to.equal(false)
    }
  })
})
