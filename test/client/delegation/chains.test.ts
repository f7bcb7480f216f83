import * as ucans from '@ucans/ucans'
import { expect } from 'chai'
import { Delegation, Wallet } from '../../../client/index.ts'
import type { KeyKind } from '../../../hub/auth/keys.ts'
import { suiteStage } from '../sdk-stage.ts'
import { type Somebody, somebody, whoSigns } from './people.ts'
import { refusal } from './refusal.ts'

/** A key pair of the library as it stands. */
const libraryPair = async (): Promise<Somebody> => whoSigns(await ucans.EdKeypair.create())

const kinds: readonly KeyKind[] = ['secp256k1', 'P-256', 'Ed25519']

const hops: ReadonlyArray<readonly [string, (delegation: Delegation) => string]> = [
  ['as text', (delegation) => delegation.toString()],
  ['as a URL of a page', (delegation) => delegation.toUrl('https://notes.example/inbox?lang=de')],
  ['as a mandate: URL', (delegation) => delegation.toUrl()],
]

describe('a delegation that is handed on', () => {
  const on = suiteStage()

  async function writeThrough(
    people: readonly [Somebody, Somebody, Somebody],
    send: (d: Delegation) => string,
  ) {
    const [alice, bob, carol] = people
    const owner = await on.stage.connect({ signer: alice.signer })
    const given = await owner.delegate({ to: bob.did, path: 'photos/', can: 'store', expires: '30d' })
    const handedOn = await Delegation.parse(send(given)).attenuate({
      signer: bob.signer,
      to: carol.did,
      path: 'photos/2026/',
      expires: '1d',
      caveats: { maxSize: 1_000 },
    })
    const wallet = new Wallet()
    await wallet.add(send(handedOn))
    const writer = await on.stage.connect({ signer: carol.signer, wallet, address: alice.address })
    await writer.put('photos/2026/sun.txt', 'a sun')
    expect((await writer.get('photos/2026/sun.txt')).text()).to.equal('a sun')
    return { owner, writer, given, handedOn }
  }

  for (const kind of kinds) {
    for (const [how, send] of hops) {
      it(`${how} lets its holder write, all with ${kind} keys`, async () => {
        await writeThrough([await somebody(kind), await somebody(kind), await somebody(kind)], send)
      })
    }
  }

  it('lets keys of all kinds stand in one chain, a key pair of @ucans/ucans among them', async () => {
    await writeThrough([await somebody('P-256'), await libraryPair(), await somebody('secp256k1')], String)
    await writeThrough([await libraryPair(), await somebody('secp256k1'), await somebody('P-256')], String)
  })

  it('holds its writer to what was handed on', async () => {
    const { writer } = await writeThrough(
      [await somebody(), await somebody(), await somebody('P-256')],
      String,
    )
    const outside = await refusal(writer.put('photos/cat.txt', 'no cat'))
    expect([outside.code, outside.status]).to.deep.equal(['no-grant', 401])
    const large = await refusal(writer.put('photos/2026/big.txt', 'x'.repeat(1_001)))
    expect(large.status).to.be.oneOf([401, 403])
  })
})
