import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { randomBytes } from '../../../../client/seal/bytes.ts'
import { makeEnvelope } from '../../../../client/seal/envelope.ts'
import { contentPath } from '../../../../client/seal/files/content-path.ts'
import { readObject } from '../../../../client/seal/files/stored-object.ts'
import { volatileMemory } from '../../../../client/seal/index.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { again, allow, type Person, stacksPerson, webPerson } from './people.ts'

const long = new Uint8Array(600_000).fill(65)

describe('a storage that is not honest', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let bob: Person
  let mallory: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    bob = await webPerson(suite.stage)
    mallory = await stacksPerson(suite.stage)
  })

  const raw = async (path: string) => Buffer.from((await alice.files.connection.get(path)).bytes)
  const write = async (path: string, bytes: Uint8Array) => {
    await alice.files.connection.put(path, bytes, {
      overwrite: true,
      contentType: 'application/vnd.mandate.sealed',
    })
  }
  const contentOf = async (path: string) => {
    const { envelope, rest } = await readObject(alice.files.connection.transport, path)
    await rest.return(undefined)
    return contentPath(path, envelope.content.id)
  }
  /** A reader that has seen nothing yet. */
  const read = async (path: string, options: { fresh?: boolean } = {}) => {
    const reader = options.fresh === false ? bob : await again(suite.stage, bob)
    return reader.files.at(alice.address).get(path)
  }

  it('cannot change, cut, lengthen or swap a content', async () => {
    await alice.files.put('content/a', long, { sealFor: [bob.did] })
    await alice.files.put('content/b', long, { sealFor: [bob.did] })
    const [a, b] = [await contentOf('content/a'), await contentOf('content/b')]
    const honest = await raw(a)
    for (const i of [0, 300_000, honest.length - 97, honest.length - 1]) {
      const changed = Buffer.from(honest)
      changed[i] = (changed[i] ?? 0) ^ 4
      await write(a, changed)
      expect(await codeOf(read('content/a')), `byte ${i}`).to.equal('damaged')
    }
    for (const other of [
      honest.subarray(0, -1),
      honest.subarray(0, 262_160),
      Buffer.alloc(0),
      Buffer.concat([honest, Buffer.from('x')]),
      await raw(b),
    ]) {
      await write(a, other)
      expect(await codeOf(read('content/a')), `${other.length} bytes`).to.equal('damaged')
    }
    await write(a, honest)
    expect((await read('content/a')).size).to.equal(long.length)
  })

  it('cannot change, lengthen or move an envelope', async () => {
    await alice.files.put('envelope/a', 'short', { sealFor: [bob.did] })
    const honest = await raw('envelope/a')
    await write('envelope/b', honest)
    expect(await codeOf(read('envelope/b'))).to.equal('wrong-place')
    await write('envelope/a', Buffer.concat([honest, Buffer.from('x')]))
    expect(await codeOf(read('envelope/a'))).to.equal('damaged')
    await alice.files.put('envelope/c', long, { sealFor: [bob.did] })
    await write('envelope/c', Buffer.concat([await raw('envelope/c'), Buffer.from('x')]))
    expect(await codeOf(read('envelope/c'))).to.equal('damaged')
    const text = honest.toString('latin1')
    for (const [from, to] of [
      ['"version":', '"version":1'],
      ['"inline":true', '"inline":false'],
      [alice.did, mallory.did],
    ] as const) {
      await write('envelope/a', Buffer.from(text.replace(from, to), 'latin1'))
      expect(await codeOf(read('envelope/a'))).to.equal('bad-signature')
    }
    await mallory.files.connection.put('envelope/a', honest, { overwrite: true })
    expect(await codeOf(bob.files.at(mallory.address).get('envelope/a'))).to.equal('wrong-place')
  })

  it('cannot roll a file back for a reader that has seen a newer version', async () => {
    await alice.files.put('rolled', 'one', { sealFor: [bob.did] })
    const first = await raw('rolled')
    expect((await read('rolled', { fresh: false })).text()).to.equal('one')
    await alice.files.put('rolled', 'two')
    expect((await read('rolled', { fresh: false })).text()).to.equal('two')
    await write('rolled', first)
    expect(await codeOf(read('rolled', { fresh: false }))).to.equal('rolled-back')
    // Who has seen nothing cannot know; who keeps a memory does, in another process too.
    expect((await read('rolled')).text()).to.equal('one')
  })

  it('is noticed by a memory that outlives the process', async () => {
    const memory = volatileMemory()
    await alice.files.put('kept', 'one', { sealFor: [bob.did] })
    const first = await raw('kept')
    await alice.files.put('kept', 'two')
    await (await again(suite.stage, bob, { memory })).files.at(alice.address).get('kept')
    await write('kept', first)
    const later = await again(suite.stage, bob, { memory })
    expect(await codeOf(later.files.at(alice.address).get('kept'))).to.equal('rolled-back')
  })

  it('cannot show two files under one version', async () => {
    const now = () => Date.UTC(2030, 0, 1)
    const one = await again(suite.stage, alice, { now })
    const two = await again(suite.stage, alice, { now })
    await one.files.put('fork', 'one', { sealFor: [bob.did] })
    const reader = await again(suite.stage, bob)
    await reader.files.at(alice.address).get('fork')
    await alice.files.connection.delete('fork', { anyVersion: true })
    await two.files.put('fork', 'two', { sealFor: [bob.did] })
    expect(await codeOf(reader.files.at(alice.address).get('fork'))).to.equal('forked')
  })

  it('cannot pass off what a stranger has sealed', async () => {
    await allow(alice, mallory, 'inbox/', 'gaia/store')
    await mallory.files.at(alice.address).put('inbox/a', 'from mallory', { sealFor: [alice.did, bob.did] })
    expect(await codeOf(read('inbox/a'))).to.equal('unknown-sealer')
    expect(await codeOf(alice.files.get('inbox/a'))).to.equal('unknown-sealer')
    const allowed = await alice.files.get('inbox/a', { sealers: [mallory.did] })
    expect(allowed).to.include({ sealedBy: mallory.did, contentBy: mallory.did })
    expect((await alice.files.get('inbox/a', { sealers: 'anybody' })).text()).to.equal('from mallory')
    const trusting = await again(suite.stage, alice, { sealers: [mallory.did] })
    expect((await trusting.files.get('inbox/a')).text()).to.equal('from mallory')
  })

  it('has nothing deleted by an envelope that names the content of another file', async () => {
    await allow(alice, mallory, 'shared/b', 'gaia/store')
    await alice.files.put('shared/a', long, { sealFor: [bob.did] })
    const { envelope, rest } = await readObject(alice.files.connection.transport, 'shared/a')
    await rest.return(undefined)
    const planted = await makeEnvelope(mallory.signer, {
      address: alice.address,
      path: 'shared/b',
      version: 1,
      content: envelope.content,
      dataKey: randomBytes(32),
      details: { type: '', by: mallory.did, recipients: [{ key: mallory.key.did }] },
    })
    await mallory.files.connection.at(alice.address).put('shared/b', `${planted}\n`)
    await alice.files.put('shared/b', 'x', { sealFor: [], overwrite: true })
    await alice.files.delete('shared/b')
    expect((await read('shared/a')).size).to.equal(long.length)
  })

  it('cannot keep out later versions by one that a stranger has signed', async () => {
    await alice.files.put('ahead', 'one', { sealFor: [bob.did] })
    const honest = await raw('ahead')
    const { envelope, rest } = await readObject(alice.files.connection.transport, 'ahead')
    await rest.return(undefined)
    const planted = async (signer: Person, version: number) => {
      const line = await makeEnvelope(signer.signer, {
        address: alice.address,
        path: 'ahead',
        version,
        content: envelope.content,
        dataKey: randomBytes(32),
        details: { type: '', by: mallory.did, recipients: [{ key: mallory.key.did }] },
      })
      await write('ahead', Buffer.concat([Buffer.from(`${line}\n`), honest.subarray(honest.indexOf(10) + 1)]))
    }
    for (const version of [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1]) {
      await planted(mallory, version)
      expect(await codeOf(alice.files.get('ahead', { sealers: 'anybody' }))).to.equal('malformed')
      expect((await alice.files.check('ahead')).failed).to.have.length(1)
      await alice.files.put('ahead', 'two', { sealFor: [bob.did], overwrite: true })
      expect((await read('ahead')).text()).to.equal('two')
    }
    await planted(alice, Number.MAX_SAFE_INTEGER)
    expect(await codeOf(alice.files.put('ahead', 'three', { sealFor: [], overwrite: true }))).to.equal(
      'malformed',
    )
    expect(await codeOf(bob.files.at(alice.address).get('ahead'))).to.equal('not-a-recipient')
  })

  it('cannot keep a file from the removal of a reader by another type', async () => {
    for (const name of ['a', 'b']) await alice.files.put(`types/${name}`, 'x', { sealFor: [bob.did] })
    const { connection } = alice.files
    for (const [path, bytes] of [
      ['types/a', await raw('types/a')],
      ['types/b', 'not sealed at all'],
    ] as const) {
      await connection.put(path, bytes, { overwrite: true, contentType: 'text/plain' })
    }
    const result = await alice.files.unshareAll('types/', [bob.did])
    expect(result).to.include({ changed: 1, unchanged: 0 })
    expect(result.failed.map(({ path }) => path)).to.deep.equal(['types/b'])
    expect(await codeOf(read('types/a'))).to.equal('not-a-recipient')
    const expected = await alice.files.unshareAll('types/', [bob.did], { sealers: 'anybody' })
    expect(expected).to.deep.include({ changed: 0, unchanged: 1, failed: [] })
  })

  it('that loses a content is told apart from a file that is replaced', async () => {
    await alice.files.put('lost', long, { sealFor: [bob.did] })
    await alice.files.connection.delete(await contentOf('lost'), { anyVersion: true })
    expect(await codeOf(read('lost'))).to.equal('content-missing')
  })
})

describe('what is stored of sealed files', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))

  it('holds no plain text, no data key, no name beyond the path, in storage and logs', async () => {
    const alice = await stacksPerson(suite.stage)
    const bob = await webPerson(suite.stage)
    const secret = 'the plain text of nobody else '
    const type = 'application/x-secret-type'
    await alice.files.put('one', secret, { sealFor: [bob.did], contentType: type })
    await alice.files.put('two', secret.repeat(20_000), { sealFor: [bob.did], contentType: type })
    const { group } = await alice.files.createGroup('team', [bob.did])
    await alice.files.put('three', secret, { sealFor: [group] })
    await alice.files.share('three', [bob.did])
    await alice.files.unshare('two', [bob.did])
    const opened = await Promise.all(['one', 'two', 'three'].map((path) => openedKey(alice, path)))
    const words = ['plain text of', type, bob.did, bob.key.did, 'gaia://', alice.signer]
    const { driver, logs } = suite.stage.hub
    const texts = [logs.join('\n')]
    for (const { key } of (await driver.list('', { limit: 1000, cursor: null, stat: false })).entries) {
      const stored = await driver.read(key)
      if (stored === null) throw new Error(`${key} is there`)
      texts.push(`${key} ${(await buffer(stored.body)).toString('latin1')}`)
    }
    // Bob's statement is his own, and public.
    const all = texts.filter((text) => !text.includes('.mandate/keys.json')).join('\n')
    expect(texts.length).to.be.greaterThan(9)
    for (const word of words.filter((one) => typeof one === 'string')) expect(all).not.to.include(word)
    for (const dataKey of opened) {
      for (const form of ['latin1', 'hex', 'base64', 'base64url'] as const)
        expect(all).not.to.include(Buffer.from(dataKey).toString(form))
    }
  })
})

async function openedKey({ files, key }: Person, path: string): Promise<Uint8Array> {
  const { openObject } = await import('../../../../client/seal/files/open.ts')
  const { sealContext } = await import('../../../../client/seal/files/context.ts')
  const { opened, rest } = await openObject(sealContext(files.connection, { keys: [key] }), path)
  await rest.return(undefined)
  return opened.dataKey
}
