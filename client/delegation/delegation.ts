import type { UcanCapability } from '../sign-ucan.ts'
import type { Signer } from '../signers/signer.ts'
import { formatCapability } from './capabilities.ts'
import { type Chain, readChain } from './chain.ts'
import { type DelegateOptions, issueDelegation } from './delegate.ts'
import { formatText, formatUrl, parseText } from './text-form.ts'

/** What {@link Delegation.attenuate} takes: what {@link delegate} does, without what it rests on. */
export type AttenuateOptions = Omit<DelegateOptions, 'via' | 'address'> & {
  /** The key that the delegation was made out to. */
  signer: Signer
  /** Milliseconds since 1970; the clock. */
  now?: () => number
}

/**
 * A signed mandate with the whole chain that it rests on: a value that cannot change, to be kept, sent and handed on.
 * What it says has not been verified (see `inspect`), and it is of use only to whoever holds the key of its audience.
 */
export class Delegation {
  /** The token itself, a UCAN as a JWT; it may hold its proofs. */
  readonly token: string
  /** The tokens that it rests on and does not hold itself, JWTs. */
  readonly proofs: readonly string[]
  /** All tokens as they were read. */
  readonly chain: Chain

  private constructor(token: string, proofs: readonly string[]) {
    this.chain = readChain(token, proofs)
    this.token = token
    this.proofs = this.chain.companions
  }

  /**
   * Of a token, and of those that it names by CID.
   * @throws {DelegationError} `malformed`, `too-large`, `too-deep`
   */
  static of(token: string, proofs: readonly string[] = []): Delegation {
    return new Delegation(token, proofs)
  }

  /**
   * Reads what {@link Delegation.toString} or {@link Delegation.toUrl} gave, or the JWT of a UCAN that holds its
   * proofs. Strict, and bounded to what hubs take; white space is left out.
   * @throws {DelegationError} `malformed`, `too-large`, `too-deep`
   */
  static parse(text: string): Delegation {
    const [token, ...proofs] = parseText(text)
    return new Delegation(token, proofs)
  }

  /** What names it at a hub, to revoke it for instance. 59 characters. */
  get cid(): string {
    return this.#outermost.cid
  }

  /** `did:key` of who handed on. */
  get issuer(): string {
    return this.#outermost.issuer
  }

  /** Who may use it and hand it on: a `did:key`, or a `did:pkh` where only an address was known. */
  get audience(): string {
    return this.#outermost.audience
  }

  /** What it allows, as far as hubs understand it. */
  get capabilities(): readonly UcanCapability[] {
    return this.#outermost.capabilities.map(formatCapability)
  }

  /** Whose files it is about; one address in all but unusual cases. */
  get addresses(): readonly string[] {
    return [...new Set(this.#outermost.capabilities.map(({ address }) => address))]
  }

  /** Seconds since 1970: the first one in which it is not valid; `null` for never. */
  get expiration(): number | null {
    return this.#outermost.expiration
  }

  /** Seconds since 1970; `null`: as soon as what it rests on. */
  get notBefore(): number | null {
    return this.#outermost.notBefore
  }

  /** Whether nothing has to travel beside its token. */
  get isSelfContained(): boolean {
    return this.proofs.length === 0
  }

  get #outermost(): Chain['tokens'][number] {
    const [token] = this.chain.tokens
    if (token === undefined) throw new TypeError('a chain has at least one token')
    return token
  }

  /**
   * The whole as text, to be sent by any way: the JWT alone where it holds its proofs, which is what other programs
   * for UCANs read; else all tokens, divided by `~`.
   */
  toString(): string {
    return formatText(this.token, this.proofs)
  }

  /** So that `JSON.stringify` gives its text. */
  toJSON(): string {
    return this.toString()
  }

  /**
   * The whole as a URL.
   * @param page an absolute URL, `https://notes.example/inbox`: the delegation stands in its fragment (`#mandate=…`),
   *   which browsers send to no server. Without it, a `mandate:` URL.
   * @throws {DelegationError} `malformed` for anything but an absolute URL
   */
  toUrl(page?: string | URL): string {
    return formatUrl(this.toString(), page)
  }

  /**
   * Hands on less, or the same, to somebody else: offline, by the key that this one was made out to. What is left out
   * (`path`, `can`, `expires`, a caveat) stays as it is here.
   * @throws {DelegationError} `principal-mismatch` where the signer is another key; `not-covered` or `time-bounds` where
   *   more is asked for than is held; `too-deep`, `too-large`
   */
  async attenuate({ signer, now = Date.now, ...options }: AttenuateOptions): Promise<Delegation> {
    const issued = await issueDelegation(signer, { ...options, via: this }, now())
    return new Delegation(issued.token, issued.proofs)
  }
}

/**
 * Makes a delegation: a signed mandate by which somebody else may do some of what the signer may. Nothing is sent; give
 * it to its recipient, or deposit it at a hub (`grant`).
 * @throws {DelegationError} `invalid-recipient`, `invalid-path`, `invalid-ability`, `invalid-caveats`, `invalid-expiry`;
 *   with `via` also those of {@link Delegation.attenuate}
 */
export async function delegate(
  signer: Signer,
  options: DelegateOptions & { now?: () => number },
): Promise<Delegation> {
  const { now = Date.now, ...content } = options
  const { token, proofs } = await issueDelegation(signer, content, now())
  return Delegation.of(token, proofs)
}
