import { expect } from 'chai'
import { sealedType } from '../../../../client/seal/index.ts'
import { collect } from '../../collect.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { again, type Person, stacksPerson, watchedFetch, webPerson } from './people.ts'

const mebibyte = 1_048_576
const large = Uint8Array.from({ length: mebibyte + 77 }, (_, i) => (i * 7) ^ (i >> 9))

describe('a sealed file', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let bob: Person
  let carol: Person
  let mallory: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    bob = await webPerson(suite.stage, 'P-256')
    carol = await webPerson(suite.stage, 'Ed25519')
    mallory = await stacksPerson(suite.stage)
  })

  const stored = async (path: string) => {
    const { url } = suite.stage.reader
    const response = await fetch(`${url}/${alice.address}/${path}`)
    return { type: response.headers.get('content-type'), bytes: Buffer.from(await response.arrayBuffer()) }
  }

  for (const [what, data] of [
    ['nothing', new Uint8Array()],
    ['a text', 'a secret that is short'],
    ['a large one', large],
    ['a Blob', new Blob([large], { type: 'image/png' })],
  ] as const) {
    it(`opens for its recipients and its sealer, and for nobody else: ${what}`, async () => {
      const path = `open/${what}`
      await alice.files.put(path, data, { sealFor: [bob.did, carol.did] })
      const expected =
        typeof data === 'string'
          ? Buffer.from(data)
          : Buffer.from(data instanceof Blob ? new Uint8Array(await data.arrayBuffer()) : data)
      for (const person of [alice, bob, carol]) {
        const file = await person.files.at(alice.address).get(path)
        expect(Buffer.compare(file.bytes, expected)).to.equal(0)
        expect(file).to.include({ size: expected.length, sealedBy: alice.did, contentBy: alice.did })
        expect(file.openedBy).to.deep.equal({ key: person.key.did, did: person.did })
      }
      expect(await codeOf(mallory.files.at(alice.address).get(path))).to.equal('not-a-recipient')
    })
  }

  it('keeps the Content-Type of its plain text to itself', async () => {
    await alice.files.put('typed', '{"a":1}', { sealFor: [], contentType: 'application/json' })
    const file = await alice.files.get('typed')
    expect(file.contentType).to.equal('application/json')
    expect(file.json()).to.deep.equal({ a: 1 })
    expect((await stored('typed')).type).to.equal(sealedType)
  })

  it('comes as a stream, of which any range can be had', async () => {
    await alice.files.put('ranges', large, { sealFor: [bob.did] })
    const there = bob.files.at(alice.address)
    for (const [first, last] of [
      [0, undefined],
      [0, 0],
      [262_143, 262_144],
      [524_288, 786_431],
      [1_048_570, undefined],
      [5, 9_999_999],
    ] as const) {
      const range = last === undefined ? { first } : { first, last }
      const { stream } = await there.stream('ranges', { range })
      const bytes = Buffer.from(await new Response(stream).arrayBuffer())
      expect(
        Buffer.compare(bytes, Buffer.from(large.slice(first, last === undefined ? undefined : last + 1))),
      ).to.equal(0)
    }
    for (const range of [{ first: large.length }, { first: 5, last: 3 }, { first: -1 }, { first: 0.5 }]) {
      const code = await there.get('ranges', { range }).then(
        () => 'taken',
        (error: { code?: string }) => error.code,
      )
      expect(code).to.equal('range-not-satisfiable')
    }
  })

  it('reads no more than the frames of a range', async () => {
    const fetch = watchedFetch()
    const reader = await again(suite.stage, alice, { fetch })
    await alice.files.put('little', large, { sealFor: [] })
    fetch.received = 0
    await reader.files.get('little', { range: { first: 300_000, last: 300_010 } })
    expect(fetch.received).to.be.below(300_000)
  })

  it('is stored in one object where it is short, in two where it is not', async () => {
    await alice.files.put('layout/short', 'x'.repeat(4096), { sealFor: [bob.did] })
    await alice.files.put('layout/long', 'x'.repeat(4097), { sealFor: [bob.did] })
    const paths = await collect(alice.files.connection.list({ prefix: 'layout/' }))
    expect(paths.filter((path) => !path.startsWith('layout/.sealed/'))).to.deep.equal([
      'layout/long',
      'layout/short',
    ])
    expect(paths).to.have.length(3)
  })

  it('replaces no version that this connection has not seen', async () => {
    await alice.files.put('careful', 'one', { sealFor: [] })
    const other = await again(suite.stage, alice)
    const refused = await other.files.put('careful', 'two').then(
      () => 'taken',
      (error: { code?: string }) => error.code,
    )
    expect(refused).to.equal('precondition-failed')
    await other.files.put('careful', 'two', { overwrite: true })
    expect((await other.files.get('careful')).text()).to.equal('two')
    const stale = await alice.files.put('careful', 'three').then(
      () => 'taken',
      (error: { code?: string }) => error.code,
    )
    expect(stale).to.equal('precondition-failed')
  })

  it('leaves no content behind where it is replaced or refused', async () => {
    for (const _ of [1, 2, 3]) await alice.files.put('tidy/a', large, { sealFor: [bob.did] })
    const other = await again(suite.stage, alice)
    await other.files.put('tidy/a', large).catch(() => undefined)
    expect(await collect(alice.files.connection.list({ prefix: 'tidy/' }))).to.have.length(2)
    expect((await alice.files.get('tidy/a')).size).to.equal(large.length)
  })

  it('is sealed anew for the same recipients where none are named', async () => {
    await alice.files.put('again', 'one', { sealFor: [bob.did] })
    await alice.files.put('again', 'two')
    expect((await bob.files.at(alice.address).get('again')).text()).to.equal('two')
  })

  it('is one of two: each of many writers at once, and no mixture', async () => {
    await alice.files.put('race', large, { sealFor: [bob.did] })
    const writers = await Promise.all([1, 2, 3, 4].map(() => again(suite.stage, alice)))
    const reads = Promise.all([1, 2, 3, 4, 5, 6].map(() => bob.files.at(alice.address).get('race')))
    await Promise.all(
      writers.map((writer, i) =>
        writer.files
          .put(
            'race',
            large.map(() => i),
            { sealFor: [bob.did], overwrite: true },
          )
          .catch(() => undefined),
      ),
    )
    for (const { bytes } of [...(await reads), await bob.files.at(alice.address).get('race')]) {
      expect(bytes.length).to.equal(large.length)
      const [first] = bytes
      const isWhole = bytes.every((byte) => byte === first) || Buffer.compare(bytes, large) === 0
      expect(isWhole).to.equal(true)
    }
    expect(await collect(alice.files.connection.list({ prefix: '.sealed/' }))).to.have.length.at.most(12)
  }).timeout(30_000)

  it('takes a stream whose length nobody knows, once', async () => {
    async function* parts() {
      for (let i = 0; i < 5; i++) yield large.subarray(0, 100_000)
    }
    await alice.files.put('unknown', parts(), { sealFor: [] })
    expect((await alice.files.get('unknown')).size).to.equal(500_000)
  })

  it('keeps its former versions where it is told to, and makes one the present again', async () => {
    const put = (data: string | Uint8Array) =>
      alice.files.put('kept/a', data, { sealFor: [bob.did], keepHistory: true })
    await put(large)
    await put('short')
    await put('shorter')
    await alice.files.unshare('kept/a', [bob.did], { keepHistory: true })
    const history = await alice.files.connection.history('kept/a')
    expect(history).to.have.length(3)
    const [, , oldest] = history
    if (oldest === undefined) throw new Error('three versions')
    await alice.files.restore(oldest)
    expect(Buffer.compare((await alice.files.get('kept/a')).bytes, large)).to.equal(0)
    expect(await codeOf(bob.files.at(alice.address).get('kept/a'))).to.equal('not-a-recipient')
  })

  it('is deleted with its content', async () => {
    await alice.files.put('deleted/a', large, { sealFor: [bob.did] })
    expect(await alice.files.delete('deleted/a')).to.equal(true)
    expect(await collect(alice.files.connection.list({ prefix: 'deleted/' }))).to.deep.equal([])
    expect(await alice.files.delete('deleted/a')).to.equal(false)
    await alice.files.put('deleted/a', 'newer than before', { sealFor: [bob.did] })
    expect((await bob.files.at(alice.address).get('deleted/a')).text()).to.equal('newer than before')
  })

  it('keeps a content that a former version shares with the present one', async () => {
    await alice.files.put('both/a', large, { sealFor: [] })
    await alice.files.share('both/a', [bob.did], { keepHistory: true })
    await alice.files.put('both/a', 'other')
    const [former] = await alice.files.connection.history('both/a')
    if (former === undefined) throw new Error('one former version')
    await alice.files.restore(former)
    expect((await alice.files.get('both/a')).size).to.equal(large.length)
  })

  it('is not replaced by an envelope that nobody could read', async () => {
    await alice.files.put('too-large', 'one', { sealFor: [] })
    const open = { text: 'x'.repeat(1024 * 1024) }
    expect(await codeOf(alice.files.put('too-large', 'two', { open }))).to.equal('malformed')
    expect((await alice.files.get('too-large')).text()).to.equal('one')
  })

  it('is not confused with what is no sealed file', async () => {
    await alice.files.connection.put('plain', 'a plain text')
    await alice.files.connection.put('json', '{"sealed":"mandate/1"}\n')
    await alice.files.connection.put('long', large)
    for (const path of ['plain', 'json', 'long'])
      expect(await codeOf(alice.files.get(path))).to.equal('malformed')
    await alice.files.put('plain', 'now sealed', { overwrite: true, sealFor: [] })
    expect((await alice.files.get('plain')).text()).to.equal('now sealed')
  })

  it('has any name that a hub takes', async () => {
    for (const path of [
      'caf\u00e9/\u{1F600} #1?.txt',
      'a'.repeat(1024),
      '%41',
      `${'d/'.repeat(60)}x`,
      `${'x'.repeat(1000)}/y`,
    ]) {
      await alice.files.put(path, large.subarray(0, 9_000), { sealFor: [bob.did] })
      expect((await bob.files.at(alice.address).get(path)).size).to.equal(9_000)
    }
  })
})
