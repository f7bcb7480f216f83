import type { MandateError } from '../errors.ts'
import { ownCredentials } from '../own-credential.ts'
import type { CredentialContext, CredentialSource, Need } from '../transport/transport.ts'
import type { Delegation } from './delegation.ts'
import { invoke } from './invoke.ts'
import { type Choice, pickDelegations } from './pick.ts'

/** A delegation in a wallet, and the hubs (DIDs) at which it is known to be deposited. */
export interface HeldDelegation {
  readonly delegation: Delegation
  readonly depositedAt: readonly string[]
}

/** What credentials are made of. */
export interface Holdings {
  held(): Promise<readonly HeldDelegation[]>
  noteDeposit(cid: string, hubDid: string, isDeposited: boolean): Promise<void>
}

/** How long an invocation is valid, and so may be sent again: as long as the signer's own credentials. */
const lifetimeSeconds = 3_600

/** How many invocations are remembered; they differ by what they allow. */
const maxRemembered = 32

/** What a hub says where a grant that was deposited there is not any more. */
const grantIsGone: ReadonlySet<string> = new Set(['no-grant', 'not-covered'])
/** What a newer invocation cures. */
const isOutdated: ReadonlySet<string> = new Set(['expired', 'time-bounds'])

/**
 * Credentials for another's bucket, by the delegations that a wallet holds. A delegation that is deposited at the hub is
 * not sent at all: the signer's own credential will do. Any other is sent with an invocation, in the way of least bytes.
 * Where the wallet holds nothing that fits, the signer's own credential is sent and the hub decides.
 */
export function walletCredentials(context: CredentialContext, holdings: Holdings): CredentialSource {
  return new WalletCredentials(context, holdings)
}

interface Remembered {
  readonly headers: Record<string, string>
  /** Milliseconds since 1970, after which a new one is made. */
  readonly renewAtMs: number
}

class WalletCredentials implements CredentialSource {
  readonly #context: CredentialContext
  readonly #holdings: Holdings
  readonly #own: CredentialSource
  readonly #remembered = new Map<string, Remembered>()
  /** CIDs that were used since the last refusal, and whether they were left to what the hub has deposited. */
  readonly #used = new Map<string, 'sent' | 'deposited'>()
  /** CIDs that may be the revoked ones: used only where nothing else serves. */
  readonly #doubtful = new Set<string>()
  /** Deposits that this connection learned of, before any storage tells. */
  readonly #deposits = new Map<string, boolean>()

  constructor(context: CredentialContext, holdings: Holdings) {
    this.#context = context
    this.#holdings = holdings
    this.#own = ownCredentials(context)
  }

  async headers(needs: readonly Need[], options: { fresh?: boolean } = {}): Promise<Record<string, string>> {
    const held = await this.#holdings.held()
    const choice = this.#choose(held, needs)
    if (choice === null) return this.#own.headers(needs, options)
    const way = this.#areDeposited(choice, held) ? 'deposited' : 'sent'
    for (const { cid } of choice.delegations) this.#used.set(cid, way)
    return way === 'sent'
      ? this.#invocation(choice, options.fresh ?? false)
      : this.#own.headers(needs, options)
  }

  refused(error: MandateError): boolean {
    const isOwnNew = this.#own.refused(error)
    const hadInvocations = this.#remembered.size > 0
    const used = [...this.#used]
    this.#remembered.clear()
    this.#used.clear()
    if (error.code === 'revoked') return this.#doubt(used.map(([cid]) => cid)) || isOwnNew
    const gone = grantIsGone.has(error.code) ? used.filter(([, way]) => way === 'deposited') : []
    for (const [cid] of gone) this.#note(cid, false)
    return gone.length > 0 || isOwnNew || (hadInvocations && isOutdated.has(error.code))
  }

  forget(): void {
    this.#own.forget()
    this.#remembered.clear()
  }

  noteGrant(cid: string, state: 'deposited' | 'revoked'): void {
    if (state === 'revoked') this.#doubt([cid])
    else this.#note(cid, true)
  }

  #choose(held: readonly HeldDelegation[], needs: readonly Need[]): Choice | null {
    const { address, did } = this.#context
    const request = { address, did, needs, now: Math.floor(this.#context.now() / 1000) }
    const all = held.map(({ delegation }) => delegation)
    const undoubted = all.filter(({ cid }) => !this.#doubtful.has(cid))
    return pickDelegations(undoubted, request) ?? pickDelegations(all, request)
  }

  /** @returns whether that is news */
  #doubt(cids: readonly string[]): boolean {
    const news = cids.filter((cid) => !this.#doubtful.has(cid))
    for (const cid of news) this.#doubtful.add(cid)
    return news.length > 0
  }

  #areDeposited({ delegations }: Choice, held: readonly HeldDelegation[]): boolean {
    const hub = this.#context.hub.did
    return delegations.every(({ cid }) => {
      const kept = held.find(({ delegation }) => delegation.cid === cid)?.depositedAt ?? []
      return this.#deposits.get(cid) ?? (hub !== null && kept.includes(hub))
    })
  }

  #note(cid: string, isDeposited: boolean): void {
    const { hub } = this.#context
    this.#deposits.set(cid, isDeposited)
    if (hub.did === null) return
    // What storage cannot take is learned again; this connection knows it by itself.
    this.#holdings.noteDeposit(cid, hub.did, isDeposited).catch(() => undefined)
  }

  async #invocation({ delegations, capabilities }: Choice, fresh: boolean): Promise<Record<string, string>> {
    const key = JSON.stringify([delegations.map(({ cid }) => cid), capabilities])
    const nowMs = this.#context.now()
    const known = this.#remembered.get(key)
    if (!fresh && known !== undefined && known.renewAtMs > nowMs) return known.headers
    const { signer, hub } = this.#context
    const ends = delegations.map(({ expiration }) => expiration ?? Number.MAX_SAFE_INTEGER)
    const expiration = Math.min(Math.floor(nowMs / 1000) + lifetimeSeconds, ...ends)
    const { headers } = await invoke({ signer, hub, capabilities, delegations, expiration })
    if (this.#remembered.size >= maxRemembered) this.#remembered.delete([...this.#remembered.keys()][0] ?? '')
    this.#remembered.set(key, { headers, renewAtMs: (nowMs + expiration * 1000) / 2 })
    return headers
  }
}
