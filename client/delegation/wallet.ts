import { controls } from '../did.ts'
import type { CredentialContext, CredentialSource, CredentialWallet, Need } from '../transport/transport.ts'
import { Delegation } from './delegation.ts'
import { DelegationError } from './errors.ts'
import { inspect } from './inspect.ts'
import { pickDelegations } from './pick.ts'
import { type HeldDelegation, walletCredentials } from './wallet-credentials.ts'
import {
  formatEntries,
  maxEntries,
  memoryStorage,
  parseEntries,
  type WalletEntry,
  type WalletStorage,
} from './wallet-storage.ts'

export interface WalletOptions {
  /** In memory unless told: `localStorage`, for instance. */
  storage?: WalletStorage
  /** The name under which the storage keeps it. `mandate-wallet` unless told. */
  key?: string
  /** Milliseconds since 1970; the clock. */
  now?: () => number
}

/** What a delegation is wanted for. */
export interface WalletRequest extends Need {
  /** Whose files. */
  address: string
  /** `did:key` of who will use it; whoever it was given to, where this is left out. */
  did?: string
}

/**
 * The delegations that somebody has received. A connection to another's bucket takes from it what a request needs
 * (`connect({wallet, address, …})`). Holding a delegation gives nothing without the key that it was made out to; still,
 * whoever reads a wallet learns who trusts whom.
 */
export class Wallet implements CredentialWallet {
  readonly #storage: WalletStorage
  readonly #key: string
  readonly #now: () => number
  /** What was read last, so that a storage that did not change is not read in again. */
  #known: { json: string; held: readonly HeldDelegation[] } = { json: '', held: [] }
  #turn: Promise<unknown> = Promise.resolve()

  constructor({ storage = memoryStorage(), key = 'mandate-wallet', now = Date.now }: WalletOptions = {}) {
    this.#storage = storage
    this.#key = key
    this.#now = now
  }

  /**
   * Takes a delegation in, once it was found to be in order as far as can be known offline: nobody can fill a wallet
   * with what no hub will take. One that has not begun yet is taken in too.
   * @param received a delegation, or its text or URL
   * @param options.depositedAt DID of a hub at which it is known to be deposited: it need not be sent there
   * @throws {DelegationError} why it is of no use, or `invalid-wallet` where the wallet is full
   */
  async add(received: Delegation | string, options: { depositedAt?: string } = {}): Promise<Delegation> {
    const delegation = typeof received === 'string' ? Delegation.parse(received) : received
    const { problems } = await inspect(delegation, { now: this.#now })
    const problem = problems.find(({ code }) => code !== 'not-yet-valid')
    if (problem !== undefined) throw new DelegationError(problem.code, problem.message, problem)
    await this.#change((held) => {
      const others = held.filter((one) => one.delegation.cid !== delegation.cid)
      if (others.length >= maxEntries) throw full()
      const known = held.find((one) => one.delegation.cid === delegation.cid)?.depositedAt ?? []
      const depositedAt = options.depositedAt === undefined ? known : [...known, options.depositedAt]
      return [...others, { delegation, depositedAt: [...new Set(depositedAt)] }]
    })
    return delegation
  }

  /** Forgets a delegation. @returns whether it was there */
  async remove(which: Delegation | string): Promise<boolean> {
    const cid = typeof which === 'string' ? which : which.cid
    let found = false
    await this.#change((held) => {
      found = held.some(({ delegation }) => delegation.cid === cid)
      return held.filter(({ delegation }) => delegation.cid !== cid)
    })
    return found
  }

  /** What it holds, those that have expired left out, in the order in which they came. */
  async list(): Promise<Delegation[]> {
    return (await this.#held()).map(({ delegation }) => delegation)
  }

  /**
   * The delegation to use for something: of those that serve, the one that narrows least, then the one that lasts
   * longest. `null` where none serves.
   */
  async pick({ address, did, ...need }: WalletRequest): Promise<Delegation | null> {
    const user = did === undefined ? { address } : { address, did }
    return (await this.delegationsFor(user, [need]))?.[0] ?? null
  }

  /** The delegations that serve all needs together, one where there is one for all; `null` where a need is not served. */
  async delegationsFor(
    user: { address: string; did?: string },
    needs: readonly Need[],
  ): Promise<readonly Delegation[] | null> {
    const now = Math.floor(this.#now() / 1000)
    return pickDelegations(await this.list(), { ...user, needs, now })?.delegations ?? null
  }

  /** Everything that it holds, as JSON, for {@link Wallet.importJson} of another one. */
  async exportJson(): Promise<string> {
    return formatEntries((await this.#held()).map(entryOf))
  }

  /**
   * Takes in what {@link Wallet.exportJson} gave, each delegation as by {@link Wallet.add}; those that have expired are
   * left out.
   * @returns how many were taken in
   * @throws {DelegationError} `invalid-wallet`, or why one of them is of no use; those before it were taken in
   */
  async importJson(json: string): Promise<number> {
    const held = this.#unexpired(parseEntries(json).map(readEntry))
    for (const { delegation, depositedAt } of held) {
      await this.add(delegation)
      for (const hub of depositedAt) await this.noteDeposit(delegation.cid, hub, true)
    }
    return held.length
  }

  /** Remembers whether a delegation that it holds is deposited at a hub, by the DID of the hub. */
  async noteDeposit(cid: string, hubDid: string, isDeposited: boolean): Promise<void> {
    await this.#change((held) =>
      held.map((one) => {
        if (one.delegation.cid !== cid) return one
        const others = one.depositedAt.filter((did) => did !== hubDid)
        return { ...one, depositedAt: isDeposited ? [...others, hubDid] : others }
      }),
    )
  }

  /** For a connection: credentials for the bucket of somebody else; `null` for the signer's own. */
  credentials(context: CredentialContext): CredentialSource | null {
    if (controls(context.did, context.address)) return null
    return walletCredentials(context, {
      held: () => this.#held(),
      noteDeposit: (...note) => this.noteDeposit(...note),
    })
  }

  async #held(): Promise<readonly HeldDelegation[]> {
    const json = (await this.#storage.getItem(this.#key)) ?? ''
    if (json !== this.#known.json) {
      this.#known = { json, held: json === '' ? [] : parseEntries(json).map(readEntry) }
    }
    return this.#unexpired(this.#known.held)
  }

  #unexpired(held: readonly HeldDelegation[]): readonly HeldDelegation[] {
    const now = this.#now() / 1000
    return held.filter(({ delegation: { expiration } }) => expiration === null || expiration > now)
  }

  /** Changes take turns; each begins with what the storage holds then, and leaves out what has expired. */
  #change(change: (held: readonly HeldDelegation[]) => readonly HeldDelegation[]): Promise<void> {
    const turn = this.#turn.then(async () => {
      const held = change(await this.#held())
      if (held.length === 0) await this.#storage.removeItem(this.#key)
      else await this.#storage.setItem(this.#key, formatEntries(held.map(entryOf)))
    })
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}

function readEntry({ text, depositedAt }: WalletEntry): HeldDelegation {
  return { delegation: Delegation.parse(text), depositedAt }
}

function entryOf({ delegation, depositedAt }: HeldDelegation): WalletEntry {
  return { text: delegation.toString(), depositedAt }
}

function full(): DelegationError {
  return new DelegationError(
    'invalid-wallet',
    `a wallet holds at most ${maxEntries.toLocaleString('en')} delegations`,
  )
}
