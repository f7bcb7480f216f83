import { connectToGaiaHub, uploadToGaiaHub } from '@stacks/storage'
import { expect } from 'chai'
import { type Connection, Delegation, delegate, type MandateError, Wallet } from '../../../client/index.ts'
import { isStacksSigner } from '../../../client/signers/signer.ts'
import { suiteStage } from '../sdk-stage.ts'
import { type Somebody, somebody } from './people.ts'
import { refusal } from './refusal.ts'

describe('grants of a connection', () => {
  const on = suiteStage()
  let alice: Somebody
  let owner: Connection

  beforeEach(async () => {
    alice = await somebody('P-256')
    owner = await on.stage.connect({ signer: alice.signer })
  })

  const connectAs = (who: Somebody, wallet?: Wallet) =>
    on.stage.connect({
      signer: who.signer,
      address: alice.address,
      ...(wallet === undefined ? {} : { wallet }),
    })

  const give = (to: Somebody, can: string | string[] = 'store', path = 'photos/') =>
    owner.delegate({ to: to.did, path, can, expires: '1d' })

  for (const kind of ['secp256k1', 'P-256', 'Ed25519'] as const) {
    it(`let a ${kind} key write that holds nothing, not even a wallet`, async () => {
      const bob = await somebody(kind)
      const given = await give(bob)
      const writer = await connectAs(bob)
      expect((await refusal(writer.put('photos/a', 'a'))).code).to.equal('no-grant')
      const grant = await owner.grant(given.toUrl())
      expect(grant).to.deep.equal({
        cid: given.cid,
        audience: bob.did,
        capabilities: given.capabilities,
        expiration: given.expiration,
      })
      expect(await owner.grant(given)).to.deep.equal(grant)
      await writer.put('photos/a', 'a')
      expect((await refusal(writer.put('elsewhere', 'a'))).code).to.equal('not-covered')
    })
  }

  it('made out to an address let a stock Gaia client write', async () => {
    const bob = await somebody('secp256k1')
    if (!isStacksSigner(bob.signer)) throw new TypeError('a Stacks key')
    await owner.grant(await owner.delegate({ to: bob.address, path: 'photos/', can: 'store', expires: '1d' }))
    const config = await connectToGaiaHub(on.stage.hub.url, bob.signer.privateKeyHex)
    const { publicURL } = await uploadToGaiaHub(
      'photos/a',
      'a',
      { ...config, address: alice.address },
      'text/plain',
    )
    expect(publicURL).to.equal(owner.publicUrl('photos/a'))
  })

  it('are deposited by whoever holds gaia/grant for all of it, with proofs beside them too', async () => {
    const [bob, carol] = [await somebody('P-256'), await somebody('Ed25519')]
    const wallet = new Wallet()
    const mine = await wallet.add(await give(bob, ['store', 'grant']))
    const bobs = await connectAs(bob, wallet)
    const handedOn = await bobs.delegate({ to: carol.did, path: 'photos/2026/', can: 'store', form: 'cid' })
    expect(handedOn.proofs).to.deep.equal([mine.token])
    await bobs.grant(handedOn)
    await (await connectAs(carol)).put('photos/2026/a', 'a')
    expect(await listed(bobs)).to.deep.equal([handedOn.cid])
  })

  it('are not deposited by one who may only write', async () => {
    const [bob, carol] = [await somebody('P-256'), await somebody('Ed25519')]
    const wallet = new Wallet()
    await wallet.add(await give(bob))
    const bobs = await connectAs(bob, wallet)
    const handedOn = await bobs.delegate({ to: carol.did, path: 'photos/', can: 'store' })
    expect((await refusal(bobs.grant(handedOn))).status).to.be.oneOf([401, 403])
    expect(await listed(owner)).to.deep.equal([])
  })

  it('hand on only what the wallet holds, and say so before anything is sent', async () => {
    const bob = await somebody('P-256')
    const wallet = new Wallet()
    await wallet.add(await give(bob))
    const bobs = await connectAs(bob, wallet)
    const wider = bobs.delegate({ to: alice.did, path: '', can: 'store' })
    expect((await refusal(wider)).code).to.equal('no-delegation')
    expect((await refusal(bobs.delegate({ to: alice.did }))).code).to.equal('no-delegation')
    const without = (await connectAs(bob)).delegate({ to: alice.did, path: 'photos/', can: 'store' })
    expect((await refusal(without)).code).to.equal('no-delegation')
  })

  it('are refused with the hub’s reason where they are of no use', async () => {
    const [bob, mallory] = [await somebody('P-256'), await somebody('secp256k1')]
    const elsewhere = await delegate(mallory.signer, { to: bob.did, path: '', can: '*', expires: '1d' })
    expect((await refusal(owner.grant(elsewhere))).code).to.equal('invalid-input')
    const [wide, other] = [(await give(bob, '*', '')).token, (await give(bob)).token]
    const forged = Delegation.of(wide.slice(0, -86) + other.slice(-86))
    const refused = await refusal(owner.grant(forged))
    expect([refused.code, refused.status]).to.deep.equal(['bad-signature', 401])
    expectNoToken(refused, forged)
  })

  it('are listed page by page, of one recipient or all, to the owner and to whom they concern', async () => {
    const [bob, carol] = [await somebody('Ed25519'), await somebody('secp256k1')]
    const toBob = await Promise.all(Array.from({ length: 101 }, () => give(bob)))
    const toCarol = await owner.delegate({
      to: carol.address,
      path: 'c/',
      can: 'list',
      expires: '1h',
      starts: '1s',
    })
    for (const given of [...toBob, toCarol]) await owner.grant(given)
    const all = await listed(owner)
    expect(all).to.deep.equal([...toBob, toCarol].map(({ cid }) => cid).sort())
    const [entry, ...others] = await entriesOf(owner, { audience: carol.address })
    expect(others).to.deep.equal([])
    expect(entry).to.deep.equal({
      cid: toCarol.cid,
      audience: toCarol.audience,
      issuer: alice.did,
      capabilities: toCarol.capabilities,
      expiration: toCarol.expiration,
      notBefore: toCarol.notBefore,
      revoked: false,
    })
    expect((await listed(await connectAs(bob))).length).to.equal(101)
    expect(await listed(await connectAs(carol))).to.deep.equal([toCarol.cid])
    expect(await listed(await connectAs(await somebody('P-256')))).to.deep.equal([])
  })
})

describe('revocations of a connection', () => {
  const on = suiteStage()

  for (const kind of ['secp256k1', 'P-256', 'Ed25519'] as const) {
    describe(`with ${kind} keys`, () => {
      let alice: Somebody
      let bob: Somebody
      let carol: Somebody
      let mallory: Somebody
      let owner: Connection
      let bobs: Connection
      let carols: Connection
      let toBob: Delegation
      let toCarol: Delegation

      beforeEach(async () => {
        alice = await somebody(kind)
        bob = await somebody(kind)
        carol = await somebody(kind)
        mallory = await somebody(kind)
        owner = await on.stage.connect({ signer: alice.signer })
        toBob = await owner.delegate({ to: bob.did, path: 'photos/', can: ['store', 'grant'], expires: '1d' })
        const [wallet, carolsWallet] = [new Wallet(), new Wallet()]
        await wallet.add(toBob)
        bobs = await on.stage.connect({ signer: bob.signer, address: alice.address, wallet })
        toCarol = await bobs.delegate({ to: carol.did, path: 'photos/2026/', can: 'store' })
        await carolsWallet.add(toCarol)
        carols = await on.stage.connect({
          signer: carol.signer,
          address: alice.address,
          wallet: carolsWallet,
        })
        await carols.put('photos/2026/a', 'a')
      })

      it('the owner ends all that rests on it', async () => {
        expect(await owner.revoke(toBob)).to.equal(toBob.cid)
        for (const [who, path] of [
          [bobs, 'photos/b'],
          [carols, 'photos/2026/b'],
        ] as const) {
          const refused = await refusal(who.put(path, 'b'))
          expect([refused.code, refused.status]).to.deep.equal(['revoked', 401])
          expectNoToken(refused, toBob)
        }
        expect((await refusal(owner.grant(toCarol))).code).to.equal('revoked')
      })

      it('a middle issuer ends what it handed on, and nothing else', async () => {
        await bobs.revoke(toCarol)
        expect((await refusal(carols.put('photos/2026/b', 'b'))).code).to.equal('revoked')
        await bobs.put('photos/b', 'b')
        expect((await refusal(carols.revoke(toBob))).status).to.be.oneOf([401, 403])
        await bobs.put('photos/c', 'c')
      })

      it('a stranger ends nothing', async () => {
        const stranger = await on.stage.connect({ signer: mallory.signer, address: alice.address })
        expect((await refusal(stranger.revoke(toBob))).status).to.be.oneOf([401, 403])
        expect((await refusal(stranger.revokeAll())).status).to.be.oneOf([401, 403])
        await carols.put('photos/2026/b', 'b')
      })

      it('by CID where it is deposited; an unknown one is not found', async () => {
        expect((await refusal(owner.revoke(toCarol.cid))).code).to.equal('not-found')
        await bobs.grant(toCarol)
        await owner.revoke(toCarol.cid)
        expect((await refusal(carols.put('photos/2026/b', 'b'))).code).to.equal('revoked')
        expect((await entriesOf(owner)).map(({ revoked }) => revoked)).to.deep.equal([true])
        expect((await refusal(owner.revoke(toCarol.toString()))).code).to.equal('invalid-input')
      })

      it('the owner ends everything up to now, and goes on at once', async () => {
        const other = await on.stage.connect({ signer: alice.signer })
        await other.put('diary', 'one')
        const oldest = await owner.revokeAll()
        expect(oldest).to.be.within(Date.now() / 1000 - 5, Date.now() / 1000 + 1)
        expect((await refusal(bobs.put('photos/b', 'b'))).code).to.equal('revoked')
        expect((await refusal(carols.put('photos/2026/b', 'b'))).code).to.equal('revoked')
        await owner.put('diary', 'two', { overwrite: true })
        const anew = await owner.delegate({ to: bob.did, path: 'photos/', can: 'store', expires: '1d' })
        const wallet = new Wallet()
        await wallet.add(toBob)
        await wallet.add(anew)
        const again = await on.stage.connect({ signer: bob.signer, address: alice.address, wallet })
        await again.put('photos/b', 'b')
      })
    })
  }
})

async function entriesOf(connection: Connection, options: { audience?: string } = {}) {
  const all = []
  for await (const entry of connection.grants(options)) all.push(entry)
  return all
}

async function listed(connection: Connection): Promise<string[]> {
  return (await entriesOf(connection)).map(({ cid }) => cid)
}

function expectNoToken(error: MandateError, { token }: Delegation): void {
  for (const part of token.split('.')) expect(error.message).to.not.include(part.slice(0, 24))
}
