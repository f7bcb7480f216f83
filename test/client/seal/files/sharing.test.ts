import { expect } from 'chai'
import { stacksOpeningKey } from '../../../../client/seal/index.ts'
import { generateStacksSigner } from '../../../../client/signers/stacks-signer.ts'
import { collect } from '../../collect.ts'
import { rejection } from '../../rejection.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { again, allow, type Person, stacksPerson, watchedFetch, webPerson } from './people.ts'

const long = Uint8Array.from({ length: 700_000 }, (_, i) => i * 13)

describe('sharing a sealed file', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let bob: Person
  let carol: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    bob = await webPerson(suite.stage, 'P-256')
    carol = await webPerson(suite.stage, 'Ed25519')
  })

  const read = async (reader: Person, path: string) => reader.files.at(alice.address).get(path)
  const isLong = async (reader: Person, path: string) =>
    Buffer.compare((await read(reader, path)).bytes, long) === 0

  it('moves a few kilobytes, however large the file is', async () => {
    await alice.files.put('cheap', long, { sealFor: [bob.did] })
    const fetch = watchedFetch()
    const sharer = await again(suite.stage, alice, { fetch })
    fetch.received = 0
    await sharer.files.share('cheap', [carol.did])
    expect(fetch.sent + fetch.received).to.be.below(10 * 1024)
    for (const person of [alice, bob, carol]) expect(await isLong(person, 'cheap')).to.equal(true)
    expect(await sharer.files.share('cheap', [carol.did, bob.did])).to.equal(null)
  })

  it('leaves a short content where it is too', async () => {
    await alice.files.put('short', 'a short text', { sealFor: [] })
    await alice.files.share('short', [carol.did])
    expect((await read(carol, 'short')).text()).to.equal('a short text')
  })

  it('says who the recipients are, to those who can open the file', async () => {
    await alice.files.put('who', 'x', { sealFor: [bob.did] })
    await alice.files.share('who', [{ address: carol.address }])
    const recipients = await bob.files.at(alice.address).recipients('who')
    expect(recipients.map(({ did }) => did)).to.deep.equal([bob.did, alice.did, carol.did])
    const stranger = await stacksPerson(suite.stage)
    expect(await codeOf(stranger.files.at(alice.address).recipients('who'))).to.equal('not-a-recipient')
  })

  it('can be done by any recipient who may write there, and says whose word the file is then', async () => {
    await alice.files.put('team/plan', 'x', { sealFor: [bob.did] })
    await allow(alice, bob, 'team/', 'gaia/store')
    await bob.files.at(alice.address).share('team/plan', [carol.did])
    expect(await codeOf(read(carol, 'team/plan'))).to.equal('unknown-sealer')
    const file = await carol.files.at(alice.address).get('team/plan', { sealers: [bob.did] })
    expect(file).to.include({ sealedBy: bob.did, contentBy: alice.did })
  })

  it('goes on where somebody else shares at the same time, and loses nobody', async () => {
    await alice.files.put('together', 'x', { sealFor: [] })
    const others = await Promise.all(Array.from({ length: 5 }, () => stacksPerson(suite.stage)))
    await Promise.all(
      others.map(async ({ did }) => (await again(suite.stage, alice)).files.share('together', [did], {})),
    )
    for (const other of others) expect((await read(other, 'together')).text()).to.equal('x')
  })

  it('ends for who is removed: a new key, a new content, and nothing left of the old', async () => {
    await alice.files.put('gone/a', long, { sealFor: [bob.did, carol.did] })
    const before = await collect(alice.files.connection.list({ prefix: 'gone/.sealed/' }))
    await alice.files.unshare('gone/a', [bob.did])
    const after = await collect(alice.files.connection.list({ prefix: 'gone/.sealed/' }))
    expect(after).to.have.length(1)
    expect(after).not.to.deep.equal(before)
    expect(await codeOf(read(bob, 'gone/a'))).to.equal('not-a-recipient')
    expect(await isLong(carol, 'gone/a')).to.equal(true)
    await alice.files.put('gone/a', 'written later')
    expect(await codeOf(read(bob, 'gone/a'))).to.equal('not-a-recipient')
    expect((await read(carol, 'gone/a')).text()).to.equal('written later')
    expect(await alice.files.unshare('gone/a', [bob.did])).to.equal(null)
  })

  it('does not end with nobody left', async () => {
    await alice.files.put('alone', 'x', { sealFor: [] })
    expect((await rejection(alice.files.unshare('alone', [alice.did]))).message).to.include(
      'nobody would be left',
    )
    expect((await read(alice, 'alone')).text()).to.equal('x')
  })

  it('ends where the file is replaced between its envelope and its content', async () => {
    await alice.files.put('replaced', long, { sealFor: [bob.did, carol.did] })
    let isFirst = true
    const meanwhile = async (input: RequestInfo | URL, init?: RequestInit) => {
      const url = input instanceof Request ? input.url : input.toString()
      if (isFirst && url.includes('/.sealed/')) {
        isFirst = false
        await alice.files.put('replaced', long)
      }
      return fetch(input, init)
    }
    const device = await again(suite.stage, alice, { fetch: meanwhile })
    expect(await device.files.unshare('replaced', [bob.did])).not.to.equal(null)
    expect(await codeOf(read(bob, 'replaced'))).to.equal('not-a-recipient')
    expect(await isLong(carol, 'replaced')).to.equal(true)
  })

  it('ends for a whole folder, with progress, and tells what it could not do', async () => {
    for (const name of ['a', 'b', 'sub/c'])
      await alice.files.put(`folder/${name}`, long, { sealFor: [bob.did] })
    await alice.files.put('folder/mine', 'x', { sealFor: [] })
    await alice.files.put('folder/of-bob', 'x', { sealFor: [bob.did], includeMe: false })
    await alice.files.connection.put('folder/plain', 'x')
    const seen: string[] = []
    const result = await alice.files.unshareAll('folder/', [bob.did], {
      onProgress: ({ done, total, path, outcome }) => seen.push(`${done}/${total} ${path} ${outcome}`),
    })
    expect(result).to.deep.equal({ changed: 3, unchanged: 1, closed: 1, failed: [] })
    expect(seen).to.deep.equal([
      '1/5 folder/a changed',
      '2/5 folder/b changed',
      '3/5 folder/mine unchanged',
      '4/5 folder/of-bob closed',
      '5/5 folder/sub/c changed',
    ])
    for (const name of ['a', 'b', 'sub/c'])
      expect(await codeOf(read(bob, `folder/${name}`))).to.equal('not-a-recipient')
    await alice.files.shareAll('folder/', [bob.did])
    expect(await isLong(bob, 'folder/sub/c')).to.equal(true)
    const [content] = await collect(alice.files.connection.list({ prefix: 'folder/.sealed/' }))
    await alice.files.connection.delete(content ?? '', { anyVersion: true })
    const broken = await alice.files.unshareAll('folder/', [bob.did])
    expect(broken.changed).to.equal(3)
    expect(broken.failed.map(({ error }) => error.code)).to.deep.equal(['content-missing'])
  })

  it('leaves the old state or the new wherever its end is broken off, and goes on when called again', async () => {
    let isOver = false
    for (let stop = 1; !isOver && stop < 60; stop++) {
      const folder = `broken/${stop}/`
      await alice.files.put(`${folder}a`, long, { sealFor: [bob.did, carol.did], index: false })
      const fetch = watchedFetch()
      const [controller, breaking] = [new AbortController(), await again(suite.stage, alice, { fetch })]
      const start = fetch.requests.length
      fetch.onRequest = () => fetch.requests.length === start + stop && controller.abort()
      const outcome = await breaking.files
        .unshareAll(folder, [bob.did], { signal: controller.signal })
        .catch(() => null)
      isOver = outcome !== null && !controller.signal.aborted
      expect(await isLong(carol, `${folder}a`), `stopped at ${stop}`).to.equal(true)
      expect((await alice.files.unshareAll(folder, [bob.did])).failed).to.deep.equal([])
      expect(await codeOf(read(bob, `${folder}a`)), `stopped at ${stop}`).to.equal('not-a-recipient')
      await alice.files.sweep(folder, { minAgeMs: 0 })
      expect(await collect(alice.files.connection.list({ prefix: `${folder}.sealed/` }))).to.have.length(1)
      expect(await isLong(carol, `${folder}a`)).to.equal(true)
    }
    expect(isOver).to.equal(true)
  }).timeout(90_000)

  it('has leftovers swept away after a day, and nothing that a present or former version needs', async () => {
    await alice.files.put('sweep/a', long, { sealFor: [bob.did], keepHistory: true })
    await alice.files.put('sweep/a', long, { keepHistory: true })
    const leftover = `sweep/.sealed/${'0'.repeat(32)}`
    await alice.files.connection.put(leftover, 'left by a write that was broken off')
    expect(await alice.files.sweep('sweep/')).to.deep.equal([])
    const { connection } = alice.files
    const contents = async () => (await collect(connection.list({ prefix: 'sweep/.sealed/' }))).length
    await connection.put('sweep/broken', '{"sealed":', { contentType: 'application/vnd.mandate.sealed' })
    expect(await alice.files.sweep('sweep/', { minAgeMs: 0 })).to.deep.equal([])
    await connection.delete('sweep/broken')
    expect(await contents()).to.equal(3)
    expect(await alice.files.sweep('sweep/', { minAgeMs: 0 })).to.deep.equal([leftover])
    expect(await contents()).to.equal(2)
    const [former] = await connection.history('sweep/a')
    if (former === undefined) throw new Error('one former version')
    expect((await alice.files.restore(former)).version).to.be.greaterThan(0)
  })

  it('has nothing swept away that becomes a former version meanwhile', async () => {
    await alice.files.put('sweep-race/a', long, { sealFor: [bob.did] })
    let isFirst = true
    const meanwhile = async (input: RequestInfo | URL, init?: RequestInit) => {
      const url = input instanceof Request ? input.url : input.toString()
      if (isFirst && url.endsWith('/sweep-race/a')) {
        isFirst = false
        await alice.files.put('sweep-race/a', long, { keepHistory: true })
      }
      return fetch(input, init)
    }
    const sweeper = await again(suite.stage, alice, { fetch: meanwhile })
    expect(await sweeper.files.sweep('sweep-race/', { minAgeMs: 0 })).to.deep.equal([])
    expect(isFirst).to.equal(false)
    const [former] = await alice.files.connection.history('sweep-race/a')
    if (former === undefined) throw new Error('one former version')
    await alice.files.restore(former)
  })
})

describe('delegated writers', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let writer: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    writer = await stacksPerson(suite.stage)
  })

  it('seal for an owner what they cannot read again', async () => {
    await allow(alice, writer, 'inbox/', 'gaia/store', { createOnly: true })
    const there = writer.files.at(alice.address)
    for (const data of ['a letter', long]) {
      const path = `inbox/${data.length}`
      const { recipients } = await there.put(path, data, { sealFor: [alice.did], createOnly: true })
      expect(recipients).to.deep.equal([{ key: alice.key.did, did: alice.did }])
      expect(await codeOf(there.get(path))).to.equal('not-a-recipient')
      expect((await alice.files.get(path, { sealers: [writer.did] })).size).to.equal(data.length)
    }
  })

  it('seal into one object where they may write one file only', async () => {
    await allow(alice, writer, 'drop/one', 'gaia/store')
    await writer.files.at(alice.address).put('drop/one', long, { sealFor: [alice.did] })
    expect(await collect(alice.files.connection.list({ prefix: 'drop/' }))).to.deep.equal(['drop/one'])
    const options = { sealers: [writer.did] }
    expect(Buffer.compare((await alice.files.get('drop/one', options)).bytes, long)).to.equal(0)
    const range = { first: 500_000, last: 500_009 }
    const { bytes } = await alice.files.get('drop/one', { ...options, range })
    expect(bytes).to.deep.equal(long.slice(500_000, 500_010))
    await alice.files.share('drop/one', [writer.did], options)
    expect((await writer.files.at(alice.address).get('drop/one')).size).to.equal(long.length)
  })

  it('who hold no key at all seal for others', async () => {
    const signer = generateStacksSigner()
    const { sealedFiles } = await import('../../../../client/seal/index.ts')
    const files = sealedFiles(await suite.stage.connect({ signer }))
    await files.put('out', 'for alice', { sealFor: [alice.did], includeMe: false })
    const { address } = files.connection
    expect((await alice.files.at(address).get('out')).text()).to.equal('for alice')
    const late = await suite.stage.connect({ signer })
    const owner = sealedFiles(late, { keys: [stacksOpeningKey(signer)] })
    expect(await codeOf(owner.get('out'))).to.equal('not-a-recipient')
  })
})
