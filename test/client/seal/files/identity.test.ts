import { expect } from 'chai'
import {
  exportOpeningKey,
  fingerprint,
  generateOpeningKey,
  importOpeningKey,
  type KeyQuestion,
  makeStatement,
  sealedFiles,
  statementPath,
  volatileMemory,
} from '../../../../client/seal/index.ts'
import { generateSigner } from '../../../../client/signers/web-crypto-signer.ts'
import { collect } from '../../collect.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { again, type Person, personOf, stacksPerson, webPerson } from './people.ts'

describe('the key of a recipient', () => {
  const suite = suiteStage()
  let alice: Person
  let mallory: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    mallory = await stacksPerson(suite.stage)
  })

  const read = async (reader: Person, path: string) => (await reader.files.at(alice.address).get(path)).text()
  const sealFor = async (did: string, options = {}, path = 'x') => {
    const sealer = await again(suite.stage, alice, options)
    return sealer.files.put(path, 'x', { sealFor: [did], overwrite: true, index: false })
  }
  /** What a hub that is not honest shows at somebody's address. */
  const replaceStatement = (of: Person, text: string) =>
    of.files.connection.put(statementPath, text, { overwrite: true })

  it('is the one that its DID has signed for, whatever kind of key signs', async () => {
    for (const kind of ['P-256', 'Ed25519'] as const) {
      const person = await webPerson(suite.stage, kind)
      await sealFor(person.did, {}, kind)
      expect(await read(person, kind)).to.equal('x')
    }
  })

  it('is found by the address of its holder, as by the DID', async () => {
    const bob = await webPerson(suite.stage)
    await alice.files.put('by-address', 'x', { sealFor: [{ address: bob.address }] })
    expect(await read(bob, 'by-address')).to.equal('x')
    const stacks = await stacksPerson(suite.stage)
    const unknown = alice.files.put('by-address-2', 'x', { sealFor: [{ address: stacks.address }] })
    expect(await codeOf(unknown)).to.equal('no-encryption-key')
    await stacks.files.publishKeys({})
    await alice.files.put('by-address-2', 'x', { sealFor: [{ address: stacks.address }], includeMe: true })
    expect(await read(stacks, 'by-address-2')).to.equal('x')
  })

  it('is that of a secp256k1 DID itself, or the one that was handed over; nothing is guessed for other kinds', async () => {
    const bob = await stacksPerson(suite.stage)
    await sealFor(bob.did, {}, 'stacks')
    expect(await read(bob, 'stacks')).to.equal('x')
    for (const kind of ['P-256', 'Ed25519'] as const) {
      expect(await codeOf(sealFor((await generateSigner(kind)).did()))).to.equal('no-encryption-key')
    }
    const key = await generateOpeningKey('X25519')
    await sealFor(key.did, {}, 'x25519')
    await alice.files.put('exact', 'x', { sealFor: [{ key: key.did }] })
    const holder = await personOf(suite.stage, await generateSigner('Ed25519'), key)
    expect(await read(holder, 'x25519')).to.equal('x')
    expect(await read(holder, 'exact')).to.equal('x')
  })

  it('is not one that a hub has put in its place', async () => {
    const bob = await webPerson(suite.stage)
    const forged = await makeStatement(mallory.signer, {
      version: Date.now(),
      key: mallory.key.did,
      recovery: [],
    })
    await replaceStatement(bob, forged)
    expect(await codeOf(sealFor(bob.did))).to.equal('bad-signature')
    await replaceStatement(bob, forged.replace(mallory.did, bob.did))
    expect(await codeOf(sealFor(bob.did))).to.equal('bad-signature')
    await replaceStatement(bob, 'nothing of the kind')
    expect(await codeOf(sealFor(bob.did))).to.equal('malformed')
    await replaceStatement(bob, 'x'.repeat(20_000))
    expect(await codeOf(sealFor(bob.did))).to.equal('malformed')
  })

  it('is refused when it has changed, until that is confirmed by its fingerprint', async () => {
    const [bob, memory] = [await webPerson(suite.stage), volatileMemory()]
    await sealFor(bob.did, { memory })
    const key = await generateOpeningKey('P-256')
    await bob.files.publishKeys({ key })
    expect(await codeOf(sealFor(bob.did, { memory }))).to.equal('key-changed')
    const questions: KeyQuestion[] = []
    const asking = (answer: boolean) => ({
      memory,
      confirmKey: (question: KeyQuestion) => {
        questions.push(question)
        return answer
      },
    })
    expect(await codeOf(sealFor(bob.did, asking(false)))).to.equal('key-changed')
    await sealFor(bob.did, asking(true), 'confirmed')
    const expected = { did: bob.did, key: key.did, recovery: [], fingerprint: await fingerprint(key.did) }
    const asked = { ...expected, formerFingerprint: await fingerprint(bob.key.did) }
    expect(questions).to.deep.equal([asked, asked])
    await sealFor(bob.did, { memory })
    expect(await read(await personOf(suite.stage, bob.signer, key), 'confirmed')).to.equal('x')
  })

  it('is asked for on first use where that is wanted', async () => {
    const bob = await webPerson(suite.stage)
    expect(await codeOf(sealFor(bob.did, { confirmKey: () => false }))).to.equal('unconfirmed-key')
    const memory = volatileMemory()
    await sealFor(bob.did, { memory, confirmKey: () => true })
    await sealFor(bob.did, { memory, confirmKey: () => false })
  })

  it('is not a former one of one’s own, which a storage brings back', async () => {
    const bob = await webPerson(suite.stage)
    const { bytes } = await bob.files.connection.get(statementPath)
    const key = await generateOpeningKey('P-256')
    const renewed = await personOf(suite.stage, bob.signer, key)
    await renewed.files.publishKeys({ key })
    await renewed.files.put('mine', 'x', { sealFor: [] })
    await replaceStatement(bob, new TextDecoder().decode(bytes))
    const elsewhere = await personOf(suite.stage, bob.signer, key)
    expect(await codeOf(elsewhere.files.put('later', 'x', { sealFor: [] }))).to.equal('key-changed')
  })

  it('is not an older one than was seen, nor taken back by hiding it', async () => {
    const [bob, memory] = [await webPerson(suite.stage), volatileMemory()]
    const { bytes } = await bob.files.connection.get(statementPath)
    await bob.files.publishKeys({ recovery: [mallory.key.did] })
    await sealFor(bob.did, { memory })
    await replaceStatement(bob, new TextDecoder().decode(bytes))
    expect(await codeOf(sealFor(bob.did, { memory }))).to.equal('rolled-back')
    await bob.files.connection.delete(statementPath, { anyVersion: true })
    const { recipients } = await sealFor(bob.did, { memory })
    expect(recipients.map(({ key }) => key)).to.include.members([bob.key.did, mallory.key.did])
  })

  it('of one’s own is signed anew with nothing that somebody else has signed, and with all that was named before', async () => {
    const [bob, memory] = [await webPerson(suite.stage), volatileMemory()]
    const files = (await again(suite.stage, bob, { memory })).files
    const recovery = await generateOpeningKey('P-256')
    const forged = { version: 5, key: mallory.key.did, recovery: [mallory.key.did] }
    await replaceStatement(bob, await makeStatement(mallory.signer, forged))
    await files.publishKeys({ recovery: [recovery.did] })
    const shown = async () => {
      const { recipients } = await sealFor(bob.did, {}, 'republished')
      return recipients.filter(({ did }) => did === bob.did).map(({ key }) => key)
    }
    expect(await shown()).to.deep.equal([bob.key.did, recovery.did])
    const { bytes } = await bob.files.connection.get(statementPath)
    await files.publishKeys({ recovery: [] })
    for (const hide of [
      () => replaceStatement(bob, new TextDecoder().decode(bytes)),
      async () => replaceStatement(bob, await makeStatement(mallory.signer, forged)),
      () => bob.files.connection.delete(statementPath, { anyVersion: true }),
    ]) {
      await hide()
      await files.publishKeys({ key: bob.key })
      expect(await shown()).to.deep.equal([bob.key.did])
    }
  })
})

describe('recovery, backup and rotation', () => {
  const suite = suiteStage()

  it('a recovery key that was named once opens all that is sealed from then on, by oneself and by others', async () => {
    const [alice, bob] = [await webPerson(suite.stage), await stacksPerson(suite.stage)]
    const recovery = await generateOpeningKey('X25519', { extractable: true })
    const backup = await exportOpeningKey(recovery)
    await alice.files.put('before', 'x', { sealFor: [] })
    await alice.files.publishKeys({ recovery: [recovery.did] })
    await alice.files.put('mine', 'x', { sealFor: [bob.did] })
    await alice.files.put('again', 'x', { sealFor: [] })
    await bob.files.put('for alice', 'x', { sealFor: [alice.did] })
    const rescuer = await personOf(suite.stage, alice.signer, await importOpeningKey(backup))
    const drill = await rescuer.files.check('')
    expect(drill).to.deep.include({ opened: 2, failed: [] })
    expect(drill.others).to.be.greaterThan(0)
    const file = await rescuer.files.at(bob.address).get('for alice')
    expect(file.openedBy).to.deep.equal({ key: recovery.did, did: alice.did, recovery: true })
    await alice.files.unshare('mine', [bob.did])
    expect((await rescuer.files.get('mine')).text()).to.equal('x')
  })

  it('a recovery key goes with the one whose it is, also from a file that was put again', async () => {
    const [alice, bob] = [await stacksPerson(suite.stage), await webPerson(suite.stage)]
    const recovery = await generateOpeningKey('P-256')
    await bob.files.publishKeys({ recovery: [recovery.did] })
    await alice.files.put('a', 'one', { sealFor: [bob.did] })
    await alice.files.put('a', 'two')
    expect(await alice.files.recipients('a')).to.have.length(3)
    await alice.files.unshare('a', [bob.did])
    expect(await alice.files.recipients('a')).to.have.length(1)
    await alice.files.put('c', 'x', { sealFor: [bob.did, { key: bob.key.did }] })
    await alice.files.unshare('c', [bob.did])
    expect((await alice.files.recipients('c')).map(({ did }) => did)).to.deep.equal([alice.did])
    await alice.files.put('b', 'x', { sealFor: [{ key: bob.key.did }] })
    await alice.files.share('b', [bob.did])
    await alice.files.unshare('b', [bob.did])
    expect((await alice.files.recipients('b')).map(({ did }) => did)).to.deep.equal([alice.did])
  })

  it('a recovery key, or a key of one’s own, that somebody else names too stays when that one is removed', async () => {
    const [alice, bob, carol] = [
      await stacksPerson(suite.stage),
      await webPerson(suite.stage),
      await webPerson(suite.stage),
    ]
    const common = await generateOpeningKey('P-256')
    await alice.files.publishKeys({ recovery: [common.did] })
    await bob.files.publishKeys({ recovery: [common.did, alice.key.did, carol.key.did] })
    await alice.files.put('a', 'x', { sealFor: [bob.did] })
    await alice.files.share('a', [carol.did])
    const opened = await alice.files.get('a')
    expect(opened.openedBy).to.deep.equal({ key: alice.key.did, did: alice.did })
    expect(await alice.files.share('a', [carol.did, bob.did])).to.equal(null)
    await alice.files.unshare('a', [bob.did])
    expect(await alice.files.recipients('a')).to.have.deep.members([
      { key: alice.key.did, did: alice.did },
      { key: common.did, did: alice.did, recovery: true },
      { key: carol.key.did, did: carol.did },
    ])
    await alice.files.unshare('a', [carol.did])
    expect(await codeOf(carol.files.at(alice.address).get('a'))).to.equal('not-a-recipient')
    expect((await alice.files.get('a')).text()).to.equal('x')
  })

  it('a new key takes the place of the old in all that is there, wherever it was broken off', async () => {
    const alice = await webPerson(suite.stage)
    const bob = await stacksPerson(suite.stage)
    for (const name of ['a', 'b', 'c'])
      await alice.files.put(`r/${name}`, 'x'.repeat(9_000), { sealFor: [bob.did], index: false })
    await bob.files.put('of bob', 'x', { sealFor: [alice.did] })
    const fresh = await generateOpeningKey('X25519')
    const connection = await suite.stage.connect({ signer: alice.signer })
    const files = sealedFiles(connection, { keys: [fresh, alice.key] })
    const controller = new AbortController()
    const stopping = files.rotate(alice.key, fresh, {
      signal: controller.signal,
      onProgress: ({ done }) => done === 2 && controller.abort(),
    })
    expect(await stopping.catch((error: Error) => error.name)).to.equal('AbortError')
    const before = await collect(connection.list({ prefix: 'r/.sealed/' }))
    const result = await files.rotate(alice.key, fresh)
    expect(result).to.deep.include({ changed: 1, failed: [] })
    expect(await collect(connection.list({ prefix: 'r/.sealed/' }))).to.deep.equal(before)
    const renewed = await personOf(suite.stage, alice.signer, fresh)
    for (const name of ['a', 'b', 'c']) {
      expect((await renewed.files.get(`r/${name}`)).size).to.equal(9_000)
      expect(await codeOf(alice.files.get(`r/${name}`))).to.equal('not-a-recipient')
      expect((await bob.files.at(alice.address).get(`r/${name}`)).size).to.equal(9_000)
    }
    expect(await connection.history('r/a')).to.deep.equal([])
    await renewed.files.put('later', 'x', { sealFor: [] })
    expect((await renewed.files.recipients('later')).map(({ key }) => key)).to.deep.equal([fresh.did])
  })
})
