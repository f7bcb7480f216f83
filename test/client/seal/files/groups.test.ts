import { expect } from 'chai'
import { generateOpeningKey, sealedFiles } from '../../../../client/seal/index.ts'
import { collect } from '../../collect.ts'
import { rejection } from '../../rejection.ts'
import { suiteStage } from '../../sdk-stage.ts'
import { codeOf } from '../sealing.ts'
import { again, type Person, stacksPerson, watchedFetch, webPerson } from './people.ts'

const long = new Uint8Array(300_000).fill(7)

describe('a group', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let bob: Person
  let carol: Person
  let dave: Person
  let group: string

  before(async () => {
    alice = await stacksPerson(suite.stage)
    bob = await webPerson(suite.stage)
    carol = await webPerson(suite.stage, 'Ed25519')
    dave = await stacksPerson(suite.stage)
    group = (await alice.files.createGroup('groups/team', [bob.did, carol.did])).group
  })

  const member = async (person: Person) => (await again(suite.stage, person, { groups: [group] })).files
  const open = async (person: Person, path: string, at = alice) =>
    (await member(person)).at(at.address).get(path)

  it('opens for its members what is sealed for it, by whomever', async () => {
    await alice.files.put('for-team', long, { sealFor: [group] })
    const { files } = await stacksPerson(suite.stage, { sealers: [alice.did] })
    await files.put('from-outside', 'x', { sealFor: [group], includeMe: false })
    const file = await open(bob, 'for-team')
    expect(file.openedBy).to.include({ group })
    expect((await (await member(carol)).at(files.connection.address).get('from-outside')).text()).to.equal(
      'x',
    )
    expect(await codeOf(open(dave, 'for-team'))).to.equal('not-a-recipient')
    expect(await codeOf(bob.files.at(alice.address).get('for-team'))).to.equal('not-a-recipient')
  })

  it('takes new members, who open what was there before', async () => {
    await alice.files.addMembers(group, [dave.did])
    expect((await open(dave, 'for-team')).size).to.equal(long.length)
  })

  it('has a new key when a member is removed, and what is sealed from then on does not open for them', async () => {
    const before = (await alice.files.recipients('for-team')).find((one) => one.group === group)?.key
    await alice.files.removeMembers(group, [dave.did])
    expect(await alice.files.removeMembers(group, [dave.did])).to.equal(null)
    await alice.files.put('later', long, { sealFor: [group] })
    expect((await alice.files.recipients('later')).find((one) => one.group === group)?.key).not.to.equal(
      before,
    )
    for (const person of [bob, carol]) {
      expect((await open(person, 'later')).size).to.equal(long.length)
      expect((await open(person, 'for-team')).size).to.equal(long.length)
    }
    // Whoever still has the group's former key, and sees the group no more.
    const withOld = sealedFiles(await suite.stage.connect({ signer: dave.signer }), {
      keys: [dave.key],
      groups: [group],
    })
    expect(await codeOf(withOld.at(alice.address).get('later'))).to.equal('not-a-recipient')
  })

  it('closes what its former keys open, below a prefix, where that is wanted', async () => {
    const present = (await alice.files.recipients('later')).find((one) => one.group === group)?.key
    const result = await alice.files.refreshGroup(group, '')
    expect(result.failed).to.deep.equal([])
    expect(result.changed).to.equal(1)
    const recipients = await alice.files.recipients('for-team')
    expect(recipients.filter((one) => one.group === group).map(({ key }) => key)).to.deep.equal([present])
    expect((await open(bob, 'for-team')).size).to.equal(long.length)
    expect((await alice.files.refreshGroup(group, '')).changed).to.equal(0)
  })

  it('goes on for those who put the file again, under its new key', async () => {
    await alice.files.put('again', 'one', { sealFor: [group] })
    await alice.files.removeMembers(group, [carol.did])
    await alice.files.put('again', 'two')
    expect((await open(bob, 'again')).text()).to.equal('two')
    expect(await codeOf(open(carol, 'again'))).to.equal('not-a-recipient')
  })

  it('gets no member by the sharing of a folder, and a new key where a folder is shared no more', async () => {
    const { group: inner } = await alice.files.createGroup('inner/team', [bob.did])
    await alice.files.put('inner/file', 'x', { sealFor: [bob.did] })
    expect(await alice.files.shareAll('inner/', [carol.did])).to.include({ changed: 1, unchanged: 1 })
    const membersOf = async () => (await alice.files.recipients('inner/team')).map(({ did }) => did)
    expect(await membersOf()).to.deep.equal([bob.did, alice.did])
    await alice.files.put('inner/for-team', 'x', { sealFor: [inner] })
    const keyOf = async (path: string) => (await alice.files.recipients(path)).find((one) => one.group)?.key
    const former = await keyOf('inner/for-team')
    expect((await alice.files.unshareAll('inner/', [bob.did])).failed).to.deep.equal([])
    expect(await membersOf()).to.deep.equal([alice.did])
    await alice.files.put('inner/for-team', 'y')
    expect(await keyOf('inner/for-team')).not.to.equal(former)
  })

  it('gets the recovery key of a member by the sharing of a folder with that one', async () => {
    const erin = await stacksPerson(suite.stage)
    await erin.files.createGroup('team', [bob.did])
    const recovery = await generateOpeningKey('P-256')
    await erin.files.publishKeys({ recovery: [recovery.did] })
    expect(await erin.files.shareAll('', [erin.did, carol.did])).to.include({ changed: 1 })
    expect(await erin.files.recipients('team')).to.have.deep.members([
      { key: bob.key.did, did: bob.did },
      { key: erin.key.did, did: erin.did },
      { key: recovery.did, did: erin.did, recovery: true },
    ])
  })

  it('whose file is none any more hides nothing that another group opens', async () => {
    const broken = `gaia://${dave.address}/broken`
    await dave.files.connection.put('broken', 'no group')
    await alice.files.put('for-nobody', 'x', { sealFor: [] })
    const reader = await again(suite.stage, bob, { groups: [broken, group] })
    expect((await reader.files.at(alice.address).get('again')).text()).to.equal('two')
    expect(await codeOf(reader.files.at(alice.address).get('for-nobody'))).to.equal('malformed')
    const unread = await rejection(reader.files.at(alice.address).get('for-nobody'))
    expect(unread.message).to.include(broken)
    const found: string[] = []
    const listing = async () => {
      for await (const { path } of reader.files.sharedWithMe([alice.did])) found.push(path)
    }
    expect(await codeOf(listing())).to.equal('malformed')
    expect(found).to.include('again')
  })

  it('is no group where its file is none, or is of a stranger', async () => {
    await alice.files.put('no-group', 'x', { sealFor: [] })
    const named = (path: string) => `gaia://${alice.address}/${path}`
    expect(await codeOf(alice.files.put('y', 'x', { sealFor: [named('no-group')] }))).to.equal(
      'no-encryption-key',
    )
    expect((await rejection(alice.files.put('y', 'x', { sealFor: ['gaia://x'] }))).message).to.include(
      'gaia://',
    )
    const reader = await again(suite.stage, bob, { groups: [named('not-there')] })
    expect(await codeOf(reader.files.at(alice.address).get('no-group'))).to.equal('not-a-recipient')
  })
})

describe('the index of what is shared', () => {
  const suite = suiteStage(() => ({ maxFileUploadSizeMegabytes: 100 }))
  let alice: Person
  let bob: Person
  let carol: Person

  before(async () => {
    alice = await stacksPerson(suite.stage)
    bob = await webPerson(suite.stage)
    carol = await stacksPerson(suite.stage)
  })

  const shared = async ({ files }: Person, by: Person[] = [alice]) =>
    (await collect(files.sharedWithMe(by.map(({ did }) => did)))).map(({ path }) => path)

  it('tells each recipient what is sealed for it, and nobody else', async () => {
    await alice.files.put('a', 'x', { sealFor: [bob.did, carol.did] })
    await alice.files.put('b', 'x', { sealFor: [bob.did] })
    await alice.files.put('c', 'x', { sealFor: [] })
    await alice.files.share('c', [bob.did])
    expect(await shared(bob)).to.deep.equal(['a', 'b', 'c'])
    expect(await shared(carol)).to.deep.equal(['a'])
    expect(await shared(alice)).to.deep.equal([])
    const [first] = await collect(bob.files.sharedWithMe([alice.address]))
    expect(first).to.deep.equal({ by: alice.did, address: alice.address, path: 'a' })
    await alice.files.unshare('a', [bob.did])
    expect(await shared(bob)).to.deep.equal(['b', 'c'])
    expect(await shared(carol)).to.deep.equal(['a'])
  })

  it('is written once for a file that is written often, and costs few requests to read', async () => {
    const fetch = watchedFetch()
    for (let i = 0; i < 3; i++) await alice.files.put('b', `${i}`)
    expect(await shared(bob)).to.deep.equal(['b', 'c'])
    const reader = await again(suite.stage, bob, { fetch })
    fetch.requests.length = 0
    await collect(reader.files.sharedWithMe([alice.did]))
    expect(fetch.requests).to.have.length(2)
  })

  it('is not what a stranger or a hub puts there', async () => {
    const { bytes } = await alice.files.connection.get('.mandate/shared.json')
    await carol.files.connection.put('.mandate/shared.json', bytes)
    const reading = (by: Person) => collect(bob.files.sharedWithMe([by.did]))
    expect(await codeOf(reading(carol))).to.equal('bad-signature')
    await reading(alice)
    const dave = await stacksPerson(suite.stage)
    await alice.files.put('d', 'x', { sealFor: [dave.did] })
    await reading(alice)
    await alice.files.connection.put('.mandate/shared.json', bytes, { overwrite: true })
    expect(await codeOf(reading(alice))).to.equal('rolled-back')
  })

  it('holds what is shared with a group, and at the address of others', async () => {
    const erin = await stacksPerson(suite.stage)
    const { group } = await erin.files.createGroup('g', [bob.did])
    await erin.files.put('for-group', 'x', { sealFor: [group] })
    const reader = await again(suite.stage, bob, { groups: [group] })
    expect(await shared(reader, [erin])).to.deep.equal(['for-group'])
    expect(await collect(bob.files.sharedWithMe([(await stacksPerson(suite.stage)).did]))).to.deep.equal([])
  })

  it('does not fail a call where it cannot be written', async () => {
    const errors: string[] = []
    const refusing: typeof fetch = async (input, init) => {
      const isIndex = new Request(input).url.includes('.mandate/') && init?.method === 'POST'
      return isIndex ? Response.json({ message: 'no' }, { status: 403 }) : fetch(input, init)
    }
    const frank = await stacksPerson(suite.stage, {
      fetch: refusing,
      onIndexError: ({ code }) => void errors.push(code),
    })
    await frank.files.put('x', 'x', { sealFor: [bob.did] })
    expect(errors).to.have.length(1)
    expect((await bob.files.at(frank.address).get('x')).text()).to.equal('x')
  })
})
