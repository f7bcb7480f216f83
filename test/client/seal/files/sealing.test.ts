import { expect } from 'chai'
import { generateOpeningKey, sealing } from '../../../../client/seal/index.ts'
import { generateSigner } from '../../../../client/signers/web-crypto-signer.ts'
import { rejection } from '../../rejection.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { type Person, stacksPerson } from './people.ts'

describe('a connection that seals', () => {
  const suite = suiteStage()
  let bob: Person
  before(async () => {
    bob = await stacksPerson(suite.stage)
  })

  const connectSealing = (person: Person) =>
    suite.stage.connect({ signer: person.signer, sealing: sealing({ keys: [person.key] }) })

  it('seals for whom it is told to, and opens what is sealed, as it reads the rest', async () => {
    const alice = await stacksPerson(suite.stage)
    const connection = await connectSealing(alice)
    await connection.put('sealed', 'a secret', { sealFor: [bob.did] })
    await connection.put('plain', 'no secret')
    const reader = (await connectSealing(bob)).at(alice.address)
    const file = await reader.get('sealed')
    expect(file.text()).to.equal('a secret')
    expect(file).to.include({ sealedBy: alice.did, contentType: 'text/plain; charset=utf-8', size: 8 })
    expect(file.openedBy).to.include({ did: bob.did })
    const { stream } = await reader.get('sealed', { asStream: true, range: { first: 2 } })
    expect(await new Response(stream).text()).to.equal('secret')
    expect(await reader.get('sealed', { ifNoneMatch: file.etag })).to.include({ notModified: true })
    const plain = await reader.get('plain')
    expect(plain.text()).to.equal('no secret')
    expect(plain.sealedBy).to.equal(undefined)
  })

  it('replaces nothing that is sealed by what all can read, unless that is said', async () => {
    const alice = await stacksPerson(suite.stage)
    const connection = await connectSealing(alice)
    await connection.put('a', 'one', { sealFor: [bob.did] })
    expect((await rejection(connection.put('a', 'two'))).message).to.include('sealFor')
    expect((await rejection(connection.update('a', () => 'two'))).message).to.include('sealFor')
    await connection.put('a', 'two', { sealFor: 'same' })
    expect((await (await connectSealing(bob)).at(alice.address).get('a')).text()).to.equal('two')
    await connection.put('a', 'three', { plain: true })
    expect((await connection.get('a')).text()).to.equal('three')
  })

  it('remembers at every address what it has seen at any', async () => {
    const alice = await stacksPerson(suite.stage)
    const connection = await connectSealing(alice)
    await connection.put('a', 'one', { sealFor: [bob.did] })
    const { bytes } = await (await suite.stage.connect({ signer: alice.signer })).get('a')
    const reader = await connectSealing(bob)
    await connection.put('a', 'two', { sealFor: 'same' })
    await reader.at(alice.address).get('a')
    const type = 'application/vnd.mandate.sealed'
    await connection.put('a', bytes, { plain: true, contentType: type })
    const refusal = await rejection(reader.at(alice.address).get('a'))
    expect(refusal).to.include({ code: 'rolled-back', name: 'SealError' })
  })

  it('brings no former version back as it is, in the place of what is sealed or sealed itself', async () => {
    const alice = await stacksPerson(suite.stage)
    const connection = await connectSealing(alice)
    await connection.put('a', 'for all')
    await connection.put('a', 'sealed', { sealFor: [bob.did], keepHistory: true })
    await connection.put('a', 'sealed anew', { sealFor: 'same', keepHistory: true })
    const versions = await connection.history('a')
    expect(versions).to.have.length(2)
    for (const version of versions) {
      expect((await rejection(connection.restore(version))).name).to.equal('InvalidInputError')
    }
    expect((await connection.get('a')).text()).to.equal('sealed anew')
  })

  it('takes nothing unsigned in the place of what was sealed, unless that is said', async () => {
    const alice = await stacksPerson(suite.stage)
    const [connection, storage] = [
      await connectSealing(alice),
      await suite.stage.connect({ signer: alice.signer }),
    ]
    await connection.put('a', 'sealed', { sealFor: [bob.did] })
    const reader = (await connectSealing(bob)).at(alice.address)
    await reader.get('a')
    await storage.put('a', 'forged', { overwrite: true })
    for (const refused of [
      () => reader.get('a'),
      () => reader.get('a', { asStream: true }),
      () => connection.put('a', 'for all'),
      () => connection.update('a', () => 'for all'),
    ]) {
      expect(await codeOf(refused())).to.equal('unsealed')
    }
    expect((await reader.get('a', { plain: true })).text()).to.equal('forged')
    await connection.put('a', 'for all', { plain: true, overwrite: true })
    expect((await connection.get('a')).text()).to.equal('for all')
    await connection.update('a', () => 'for all still')
    await connection.put('a', 'sealed again', { sealFor: [bob.did], overwrite: true })
    expect((await reader.get('a')).text()).to.equal('sealed again')
  })

  it('is one that was told to: no other takes sealFor', async () => {
    const connection = await suite.stage.connect({ signer: await generateSigner() })
    const { did } = await generateOpeningKey()
    expect((await rejection(connection.put('a', 'x', { sealFor: [did] }))).message).to.include('sealing')
  })
})
