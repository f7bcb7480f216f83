import { expect } from 'chai'
import { alicesSigner } from '../client/sdk-stage.ts'
import { keyOf, suiteMachines } from './cli-stage.ts'

describe('delegations by the command line', () => {
  const suite = suiteMachines()

  /** Alice has let Bob store and list below photos/; both on machines of their own. */
  async function aliceAndBob() {
    const [alices, bobs] = [await suite.machineOf('alice'), await suite.machineOf('bob')]
    const [alice, bob] = [await keyOf(alices, 'alice'), await keyOf(bobs, 'bob')]
    const { stdout: text } = await alices.ok(['delegate', 'photos/', '--to', bob.did, '--can', 'store,list'])
    await bobs.ok(['receive', '-'], { stdin: text })
    return { alices, bobs, alice, bob, text }
  }

  it('let another write where they say, and nowhere else, until they are revoked', async () => {
    const { alices, bobs, alice, text } = await aliceAndBob()
    await bobs.ok(['put', '-', `${alice.address}:photos/cat.txt`], { stdin: 'a cat' })
    expect((await bobs.ok(['ls', `${alice.address}:photos/`])).stdout).to.equal('photos/cat.txt\n')
    expect((await bobs.run(['put', '-', `${alice.address}:diary.txt`], { stdin: 'no' })).status).to.equal(5)
    expect((await bobs.run(['rm', `${alice.address}:photos/cat.txt`])).status).to.equal(5)
    await alices.ok(['revoke', '-'], { stdin: text })
    expect(
      (await bobs.run(['put', '-', `${alice.address}:photos/dog.txt`], { stdin: 'no' })).status,
    ).to.equal(5)
    expect((await alices.ok(['cat', 'photos/cat.txt'])).stdout).to.equal('a cat')
  })

  it('are revoked by their CID where they were signed, deposited or not', async () => {
    const { alices, bobs, alice } = await aliceAndBob()
    const [issued] = (await alices.ok(['delegations', '--issued', '--json'])).json()
    await alices.ok(['revoke', String(issued?.cid)])
    expect((await bobs.run(['put', '-', `${alice.address}:photos/a`], { stdin: 'no' })).status).to.equal(5)
    const unknown = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
    expect((await alices.run(['revoke', unknown])).status).to.equal(3)
  })

  it('are handed on in parts, with what narrows them', async () => {
    const { bobs, alice } = await aliceAndBob()
    const carols = await suite.machineOf('carol')
    const carol = await keyOf(carols, 'carol')
    const place = `${alice.address}:photos/2026/`
    const narrowing = ['--max-size', '1k', '--content-type', 'text/*', '--create-only', '--expires', '1d']
    const { stdout } = await bobs.ok(['delegate', place, '--to', carol.address, ...narrowing])
    await carols.ok(['receive', stdout.trim()])
    await carols.ok(['put', '-', `${place}a.txt`], { stdin: 'small' })
    expect((await carols.run(['put', '-', `${place}a.txt`, '--force'], { stdin: 'again' })).status).to.equal(
      5,
    )
    expect((await carols.run(['put', '-', `${place}b.txt`], { stdin: 'x'.repeat(1025) })).status).to.equal(5)
    expect((await carols.run(['put', '-', `${place}c.png`], { stdin: 'x' })).status).to.equal(5)
    const beyond = await bobs.run(['delegate', `${alice.address}:diary/`, '--to', carol.did])
    expect([beyond.status, beyond.stderr.includes('has received nothing')]).to.deep.equal([5, true])
    const longer = await bobs.run(['delegate', place, '--to', carol.did, '--expires', '90d'])
    expect(longer.status).to.equal(5)
  })

  it('are deposited, listed, and then serve who has received nothing', async () => {
    const alices = await suite.machineOf('alice')
    const bobs = await suite.machineOf('bob')
    const [alice, bob] = [await keyOf(alices, 'alice'), await keyOf(bobs, 'bob')]
    const [made] = (
      await alices.ok(['delegate', 'inbox/', '--to', bob.address, '--deposit', '--json'])
    ).json()
    expect(made).to.include({ deposited: true })
    await bobs.ok(['put', '-', `${alice.address}:inbox/a.txt`], { stdin: 'hello' })
    const [listed] = (await alices.ok(['grants', '--json'])).json()
    expect(listed).to.include({ cid: made?.cid, revoked: false })
    expect((await bobs.ok(['grants', '--owner', alice.address, '--json'])).json()).to.have.lengthOf(1)
    await alices.ok(['revoke', String(made?.cid)])
    expect((await alices.ok(['grants'])).stdout).to.include('revoked')
    expect((await bobs.run(['put', '-', `${alice.address}:inbox/b.txt`], { stdin: 'no' })).status).to.equal(5)
  })

  it('of one who signed too much all end at once by revoke-all', async () => {
    const { alices, bobs, alice } = await aliceAndBob()
    expect((await alices.run(['revoke-all'])).status).to.equal(2)
    await alices.ok(['revoke-all', '--yes'])
    expect((await bobs.run(['put', '-', `${alice.address}:photos/a`], { stdin: 'no' })).status).to.equal(5)
    await new Promise((resolve) => setTimeout(resolve, 1_100))
    await alices.ok(['put', '-', 'mine.txt'], { stdin: 'still mine' })
  })

  it('are explained in words, with what is wrong with them', async () => {
    const { alices, bobs, text } = await aliceAndBob()
    const fine = await bobs.ok(['inspect', '-'], { stdin: text })
    expect(fine.stdout)
      .to.include('store what is below photos/')
      .and.to.include('In order')
      .and.to.include('(bob)')
    const later = await alices.run(['inspect', '-'], { stdin: text, now: () => Date.now() + 40 * 86_400_000 })
    expect(later.status).to.equal(5)
    expect(later.stdout).to.include('Not valid').and.to.include('expired')
    const [head, payload, signature = ''] = text.trim().split('.')
    const forged = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    const bad = await alices.run(['inspect', '-', '--json'], { stdin: forged })
    expect(bad.status).to.equal(5)
    expect(bad.json()[0]).to.include({ valid: false })
    const none = await alices.run(['inspect', '-'], { stdin: 'nothing of the kind' })
    expect(none.status).to.equal(5)
    expect((await alices.run(['receive', '-'], { stdin: forged })).status).to.equal(5)
  })

  it('are told apart from v1 tokens, which are explained too', async () => {
    const machine = await suite.machine()
    const connection = await suite.stage().connect()
    const { Authorization = '' } = await connection.transport.credentials.headers([])
    const told = await machine.ok(['inspect', '-'], { stdin: Authorization })
    expect(told.stdout)
      .to.include('v1 token')
      .and.to.include(connection.address)
      .and.to.include('do everything at its address')
    const forged = Authorization.replace(/.{4}$/, (end) => (end === 'AAAA' ? 'BBBB' : 'AAAA'))
    const bad = await machine.run(['inspect', '-'], { stdin: forged })
    expect([bad.status, bad.stdout.includes('not signed by the key')]).to.deep.equal([5, true])
    expect(await alicesSigner().did()).to.equal(connection.did)
  })

  it('received by several runs at once are all kept, and each can be forgotten', async () => {
    const [alices, bobs] = [await suite.machineOf('alice'), await suite.machineOf('bob')]
    const { did } = await keyOf(bobs, 'bob')
    const texts = await Promise.all(
      ['a/', 'b/', 'c/', 'd/'].map((path) => alices.ok(['delegate', path, '--to', did])),
    )
    await Promise.all(texts.map(({ stdout }) => bobs.ok(['receive', '-'], { stdin: stdout })))
    const held = (await bobs.ok(['delegations', '--json'])).json()
    expect(held).to.have.lengthOf(4)
    await bobs.ok(['forget', String(held[0]?.cid)])
    expect((await bobs.ok(['delegations', '--json'])).json()).to.have.lengthOf(3)
    expect((await bobs.run(['forget', String(held[0]?.cid)])).status).to.equal(3)
  })

  it('are drawn as a QR code and given as a URL', async () => {
    const machine = await suite.machineOf('alice', 'bob')
    const page = 'https://notes.example/inbox'
    const made = await machine.ok(['delegate', 'a/', '--to', 'bob', '--qr', '--url', page])
    expect(made.stdout).to.match(/^https:\/\/notes\.example\/inbox#mandate=eyJ/)
    expect(made.stderr).to.include('█')
    await machine.ok(['receive', made.stdout.trim()])
  })
})
