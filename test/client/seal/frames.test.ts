import { expect } from 'chai'
import fc from 'fast-check'
import { concat, randomBytes, sha256 } from '../../../client/seal/bytes.ts'
import { inChunks, iterate, mapAhead, toBytes, toStream } from '../../../client/seal/chunks.ts'
import { contentKeys } from '../../../client/seal/content-keys.ts'
import { openFrames, sealFrames } from '../../../client/seal/frames.ts'
import { generateOpeningKey, type OpeningKey, stacksOpeningKey } from '../../../client/seal/opening-key.ts'
import { generateStacksSigner } from '../../../client/signers/stacks-signer.ts'
import { codeOf, openFile, type SealedFile, sealFile } from './sealing.ts'

const frame = 64
const sealedFrame = frame + 16
const data = Uint8Array.from({ length: 4 * frame + 9 }, (_, i) => i * 31)

describe('frames of a sealed content', () => {
  const alice = generateStacksSigner()
  const key = stacksOpeningKey(alice)
  const recipients = [{ key: key.did }]
  let file: SealedFile
  const pieces = ({ content }: SealedFile) =>
    Array.from({ length: 5 }, (_, i) =>
      content.slice(i * sealedFrame, Math.min((i + 1) * sealedFrame, data.length + 80)),
    )
  const tail = ({ content }: SealedFile) => content.slice(data.length + 80)
  const code = (content: Uint8Array<ArrayBuffer>) => codeOf(openFile({ ...file, content }, [key]))

  before(async () => {
    file = await sealFile({ signer: alice, recipients, data })
  })

  it('open as what was sealed', async () => {
    expect(await openFile(file, [key])).to.deep.equal(data)
    expect(concat(...pieces(file), tail(file))).to.deep.equal(file.content)
  })

  it('are refused where the last one is cut off, with its hash or without', async () => {
    const [a, b, c, d] = pieces(file)
    if (!a || !b || !c || !d) throw new Error('five frames')
    expect(await code(concat(a, b, c, d, tail(file)))).to.equal('damaged')
    expect(await code(concat(a, b, c, d, tail(file).slice(0, 128)))).to.equal('damaged')
    expect(await code(file.content.slice(0, -1))).to.equal('damaged')
    expect(await code(new Uint8Array())).to.equal('damaged')
  })

  for (const [what, order] of [
    ['two are swapped', [1, 0, 2, 3]],
    ['one stands twice', [0, 0, 2, 3]],
    ['one is the one before', [0, 1, 1, 3]],
  ] as const) {
    it(`are refused where ${what}`, async () => {
      const all = pieces(file)
      const hashes = Array.from({ length: 5 }, (_, i) => tail(file).slice(i * 32, i * 32 + 32))
      const pick = <T>(from: T[]): T[] => [...order.map((i) => from[i] as T), from[4] as T]
      expect(await code(concat(...pick(all), tail(file)))).to.equal('damaged')
      expect(await code(concat(...pick(all), ...pick(hashes)))).to.equal('damaged')
    })
  }

  it('open at their own place only, even where their hashes are in that order', async () => {
    const keys = await contentKeys(randomBytes(32), {
      address: '1A',
      path: 'a',
      id: randomBytes(16),
      version: 1,
      frame,
    })
    const sealed = await toBytes(
      sealFrames(iterate(data.subarray(0, 3 * frame)), keys.frames, frame, () => undefined),
    )
    const frames = [0, 1, 2].map((i) => sealed.slice(i * sealedFrame, (i + 1) * sealedFrame))
    const open = async (...order: number[]) => {
      const chosen = order.map((i) => frames[i] ?? randomBytes(1))
      const hashes = concat(...(await Promise.all(chosen.map(sha256))))
      const plan = { frame, size: order.length * frame, first: 0, end: order.length, hashes }
      return toBytes(openFrames(iterate(concat(...chosen)), keys.frames, plan))
    }
    expect(await open(0, 1, 2)).to.deep.equal(data.slice(0, 3 * frame))
    const hashes = sealed.slice(3 * sealedFrame)
    const cut = iterate(sealed.slice(0, 2 * sealedFrame))
    const plan = { frame, size: 3 * frame, first: 0, end: 3, hashes }
    expect(await codeOf(toBytes(openFrames(cut, keys.frames, plan)))).to.equal('damaged')
    for (const order of [
      [1, 0, 2],
      [0, 1],
      [0, 2],
      [0, 0, 2],
      [0, 1, 2, 2],
      [2, 1, 0],
    ]) {
      expect(await codeOf(open(...order))).to.equal('damaged')
    }
  })

  it('are refused where they come from another file, another path or another version of the same', async () => {
    for (const other of [
      await sealFile({ signer: alice, recipients, data }),
      await sealFile({ signer: alice, recipients, data, path: 'a/c.txt' }),
      await sealFile({ signer: alice, recipients, data, version: 8 }),
    ]) {
      expect(await code(other.content)).to.equal('damaged')
      expect(await code(concat(...pieces(other), tail(file)))).to.equal('damaged')
    }
  })

  it('do not open under the same data key at another place, version or under another name', async () => {
    const [dataKey, id] = [randomBytes(32), randomBytes(16)]
    const base = { signer: alice, recipients, data, dataKey, id }
    const one = await sealFile(base)
    for (const other of [{ path: 'x' }, { address: '1Other' }, { version: 8 }, { id: randomBytes(16) }]) {
      const { content } = await sealFile({ ...base, ...other })
      expect(content.slice(0, sealedFrame)).not.to.deep.equal(one.content.slice(0, sealedFrame))
    }
    expect((await sealFile(base)).content).to.deep.equal(one.content)
  })

  it('are those that the sealer signed for, whatever another recipient with the same data key makes', async () => {
    const [dataKey, id] = [randomBytes(32), randomBytes(16)]
    const honest = await sealFile({ signer: alice, recipients, data, dataKey, id })
    const forged = await sealFile({
      signer: alice,
      recipients,
      data: data.map((byte) => byte ^ 1),
      dataKey,
      id,
    })
    expect(await codeOf(openFile({ ...honest, content: forged.content }, [key]))).to.equal('damaged')
    const content = concat(...pieces(forged), tail(honest))
    expect(await codeOf(openFile({ ...honest, content }, [key]))).to.equal('damaged')
  })

  it('open from any frame to any other', async () => {
    for (let first = 0; first < 5; first++) {
      for (let end = first + 1; end <= 5; end++) {
        const part = await openFile(file, [key], { first, end })
        expect(part).to.deep.equal(data.slice(first * frame, end * frame))
      }
    }
  })

  it('give back any content, cut into any frames', async () => {
    const bob: OpeningKey = await generateOpeningKey('P-256')
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 100 }),
        async (bytes, size) => {
          const sealed = await sealFile({
            signer: alice,
            recipients: [{ key: bob.did }],
            data: bytes,
            frame: size,
          })
          expect(await openFile(sealed, [bob])).to.deep.equal(concat(bytes))
        },
      ),
      { numRuns: 25 },
    )
  })
})

describe('chunks of a stream', () => {
  async function* parts(...sizes: number[]): AsyncGenerator<Uint8Array> {
    let next = 0
    for (const size of sizes) yield Uint8Array.from({ length: size }, () => next++)
  }

  for (const sizes of [[], [0], [3], [4], [1, 1, 1, 1], [5], [8], [3, 0, 6], [17, 1]]) {
    it(`have their length but for the last, whatever came in: ${JSON.stringify(sizes)}`, async () => {
      const total = sizes.reduce((sum, size) => sum + size, 0)
      const chunks = []
      for await (const chunk of inChunks(parts(...sizes), 4)) chunks.push(chunk)
      expect(concat(...chunks.map(({ bytes }) => bytes))).to.deep.equal(await toBytes(parts(...sizes)))
      expect(chunks.slice(0, -1).every(({ bytes, isLast }) => bytes.length === 4 && !isLast)).to.equal(true)
      expect(chunks).to.have.length(Math.max(1, Math.ceil(total / 4)))
      expect(chunks.at(-1)?.isLast).to.equal(true)
    })
  }

  it('are mapped a few at once and given in order', async () => {
    let running = 0
    let most = 0
    const map = async (part: Uint8Array, index: number) => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setTimeout(resolve, 5 - index))
      running -= 1
      return part.length
    }
    const given = []
    for await (const length of mapAhead(parts(1, 2, 3, 4, 5), map, 3)) given.push(length)
    expect(given).to.deep.equal([1, 2, 3, 4, 5])
    expect(most).to.equal(3)
  })

  it('are taken from their source no faster than they are read, and no longer', async () => {
    let taken = 0
    let ended = false
    async function* endless(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield Uint8Array.of(taken++)
      } finally {
        ended = true
      }
    }
    const reader = toStream(endless()).getReader()
    await reader.read()
    await reader.read()
    expect(taken).to.equal(2)
    await reader.cancel()
    expect(ended).to.equal(true)
  })
})
