import { expect } from 'chai'
import { maxEntries } from '../../../client/delegation/wallet-storage.ts'
import {
  type DelegateOptions,
  type Delegation,
  delegate,
  Wallet,
  type WalletStorage,
} from '../../../client/index.ts'
import { type Somebody, somebody } from './people.ts'
import { refusal } from './refusal.ts'

const start = 1_800_000_000_000

describe('a wallet', () => {
  let alice: Somebody
  let bob: Somebody
  let carol: Somebody
  let clock: number
  const now = () => clock

  before(async () => {
    alice = await somebody('Ed25519')
    bob = await somebody('P-256')
    carol = await somebody('secp256k1')
  })

  beforeEach(() => {
    clock = start
  })

  const give = (options: Partial<DelegateOptions> = {}) =>
    delegate(alice.signer, { to: bob.did, path: 'photos/', can: 'store', expires: '1d', now, ...options })

  async function walletOf(...given: Delegation[]): Promise<Wallet> {
    const wallet = new Wallet({ now })
    for (const one of given) await wallet.add(one)
    return wallet
  }

  const cids = (delegations: readonly Delegation[]) => delegations.map(({ cid }) => cid)

  it('keeps what is received in any form, each once, until it expires', async () => {
    const [one, other] = [await give(), await give({ expires: '2d' })]
    const wallet = await walletOf(one)
    await wallet.add(other.toUrl())
    await wallet.add(one.toString())
    expect(cids(await wallet.list())).to.have.members([one.cid, other.cid])
    clock += 86_400_000
    expect(cids(await wallet.list())).to.deep.equal([other.cid])
    expect(await wallet.remove(other)).to.equal(true)
    expect(await wallet.remove(other.cid)).to.equal(false)
  })

  it('takes in nothing that no hub would take, so that nobody can fill it with that', async () => {
    const wallet = new Wallet({ now })
    const good = await give()
    const [head = '', , signature = ''] = good.token.split('.')
    const other = (await give({ path: '', can: '*', expires: '100d' })).token.split('.')[1]
    expect((await refusal(wallet.add(`${head}.${other}.${signature}`))).code).to.equal('bad-signature')
    const expired = await give({ expires: '1s' })
    clock += 1_000
    expect((await refusal(wallet.add(expired))).code).to.equal('expired')
    expect((await refusal(wallet.add('hello'))).code).to.equal('malformed')
    expect(await wallet.list()).to.deep.equal([])
    const later = await give({ starts: '1h' })
    await wallet.add(later)
    expect(cids(await wallet.list())).to.deep.equal([later.cid])
  })

  describe('picks', () => {
    const rows: ReadonlyArray<[string, readonly Partial<DelegateOptions>[], object, number | null]> = [
      ['what covers the path', [{ path: 'docs/' }, { path: 'photos/' }], {}, 1],
      ['nothing for a name that only begins alike', [{ path: 'photos/' }], { path: 'photos2/a' }, null],
      ['a file for itself alone', [{ path: 'photos/a' }], { path: 'photos/a' }, 0],
      ['nothing below a file', [{ path: 'photos/a' }], { path: 'photos/a/b' }, null],
      ['what holds the ability', [{ can: 'list' }, { can: 'gaia/*' }], {}, 1],
      ['nothing to grant by gaia/*', [{ can: 'gaia/*' }], { ability: 'gaia/grant' }, null],
      ['everything for a grant', [{ can: '*' }], { ability: 'gaia/grant' }, 0],
      ['a plain store before one that keeps history', [{ can: 'archive', expires: '9d' }, {}], {}, 1],
      ['an archive where there is nothing else', [{ can: 'archive' }], {}, 0],
      ['an archive for a delete', [{ can: 'archive' }], { ability: 'gaia/delete' }, 0],
      ['a store for a write that keeps history', [{ can: 'store' }], { ability: 'gaia/archive' }, 0],
      ['nothing for a delete by a store', [{ can: 'store' }], { ability: 'gaia/delete' }, null],
      ['what may overwrite', [{ caveats: { createOnly: true }, expires: '9d' }, {}], {}, 1],
      [
        'nothing for a delete that is create-only',
        [{ can: 'gaia/*', caveats: { createOnly: true } }],
        { ability: 'gaia/delete' },
        null,
      ],
      ['the larger size', [{ caveats: { maxSize: 5 }, expires: '9d' }, { caveats: { maxSize: 6 } }], {}, 1],
      ['no bound before any', [{ caveats: { maxSize: 5 } }, {}], {}, 1],
      ['nothing for a file that is too large', [{ caveats: { maxSize: 5 } }], { size: 6 }, null],
      ['what allows the size', [{ caveats: { maxSize: 5 } }], { size: 5 }, 0],
      [
        'what allows the type',
        [{ caveats: { contentType: ['image/*'] } }],
        { contentType: 'Image/PNG; q=1' },
        0,
      ],
      [
        'nothing for another type',
        [{ caveats: { contentType: ['image/*'] } }],
        { contentType: 'text/html' },
        null,
      ],
      ['what lasts longest', [{ expires: '1d' }, { expires: '3d' }, { expires: '2d' }], {}, 1],
      ['what has begun', [{ starts: '1h', expires: '9d' }, {}], {}, 1],
      ['a list of a part', [{ can: 'list' }], { ability: 'gaia/list', path: '' }, 0],
      ['nothing of another bucket', [{}], { address: 'z6Mkother' }, null],
      [
        'nothing that somebody else was given',
        [{}],
        { did: 'did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK' },
        null,
      ],
    ]
    for (const [what, options, request, expected] of rows) {
      it(what, async () => {
        const given = await Promise.all(options.map(give))
        const wallet = await walletOf(...given)
        const need = {
          address: alice.address,
          did: bob.did,
          ability: 'gaia/store',
          path: 'photos/a',
          ...request,
        }
        const picked = await wallet.pick(need)
        expect(picked?.cid).to.equal(expected === null ? undefined : given[expected]?.cid)
      })
    }

    it('the shorter chain of two that give the same', async () => {
      const toCarol = await give({ to: carol.did })
      const round = await toCarol.attenuate({ signer: carol.signer, to: bob.did, now })
      const direct = await give()
      const wallet = await walletOf(round, direct)
      const need = { address: alice.address, ability: 'gaia/store', path: 'photos/a' }
      expect((await wallet.pick(need))?.cid).to.equal(direct.cid)
    })

    it('one for all needs where there is one, else one for each', async () => {
      const [store, list, both] = [
        await give(),
        await give({ can: 'list' }),
        await give({ can: ['store', 'list'] }),
      ]
      const needs = [
        { ability: 'gaia/store', path: 'photos/a' },
        { ability: 'gaia/list', path: 'photos/' },
      ]
      const user = { address: alice.address, did: bob.did }
      const found = async (wallet: Wallet) => cids((await wallet.delegationsFor(user, needs)) ?? [])
      expect(await found(await walletOf(store, list))).to.deep.equal([store.cid, list.cid])
      expect(await found(await walletOf(store, list, both))).to.deep.equal([both.cid])
      expect(await found(await walletOf(store))).to.deep.equal([])
    })
  })

  describe('in a storage', () => {
    it('is there again, in any with getItem, setItem and removeItem', async () => {
      const items = new Map<string, string>()
      const storage: WalletStorage = {
        getItem: async (key) => items.get(key) ?? null,
        setItem: async (key, value) => void items.set(key, value),
        removeItem: async (key) => void items.delete(key),
      }
      const given = await give()
      await new Wallet({ storage, key: 'mine', now }).add(given, { depositedAt: 'did:web:hub.example' })
      expect([...items.keys()]).to.deep.equal(['mine'])
      const again = new Wallet({ storage, key: 'mine', now })
      expect(cids(await again.list())).to.deep.equal([given.cid])
      expect(await again.exportJson()).to.include('did:web:hub.example')
      await again.remove(given)
      expect(items.size).to.equal(0)
    })

    it('loses nothing where two are added at once', async () => {
      const given = await Promise.all([give(), give(), give()])
      const slow = new Map<string, string>()
      const storage: WalletStorage = {
        getItem: async (key) => {
          const value = slow.get(key) ?? null
          await new Promise((resolve) => setTimeout(resolve, 30))
          return value
        },
        setItem: (key, value) => slow.set(key, value),
        removeItem: (key) => slow.delete(key),
      }
      const wallet = new Wallet({ storage, now })
      await Promise.all(given.map((one) => wallet.add(one)))
      expect(cids(await wallet.list())).to.have.members(cids(given))
    })

    it('goes into another by JSON, all of it checked again', async () => {
      const [one, other] = [await give(), await give({ expires: '1h' })]
      const wallet = await walletOf(one, other)
      const json = await wallet.exportJson()
      clock += 3_600_000
      const copy = new Wallet({ now })
      expect(await copy.importJson(json)).to.equal(1)
      expect(cids(await copy.list())).to.deep.equal([one.cid])
      const forged = json.replace(one.token.slice(-86), other.token.slice(-86))
      expect((await refusal(new Wallet({ now }).importJson(forged))).code).to.equal('bad-signature')
    })

    for (const [what, json] of [
      ['no JSON', '{'],
      ['a list', '[]'],
      ['null', 'null'],
      ['a later version', '{"version":2,"delegations":[]}'],
      ['no list', '{"version":1,"delegations":{}}'],
      ['entries of another form', '{"version":1,"delegations":[null]}'],
      ['deposits of another form', '{"version":1,"delegations":[{"text":"a","depositedAt":[1]}]}'],
      ['too many', JSON.stringify({ version: 1, delegations: Array(maxEntries + 1).fill({ text: '' }) })],
    ] as const) {
      it(`is refused with ${what}, and what is stored stays as it is`, async () => {
        const items = new Map([['mandate-wallet', json]])
        const storage = {
          getItem: (key: string) => items.get(key) ?? null,
          setItem: (key: string, value: string) => items.set(key, value),
          removeItem: (key: string) => items.delete(key),
        }
        const wallet = new Wallet({ storage, now })
        expect((await refusal(wallet.list())).code).to.equal('invalid-wallet')
        expect((await refusal(wallet.add(await give()))).code).to.equal('invalid-wallet')
        expect(items.get('mandate-wallet')).to.equal(json)
        expect((await refusal(new Wallet({ now }).importJson(json))).code).to.equal('invalid-wallet')
      })
    }
  })
})
