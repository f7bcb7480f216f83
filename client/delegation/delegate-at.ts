import { controls } from '../did.ts'
import type { CredentialWallet, Need, Transport } from '../transport/transport.ts'
import { abilityNamed, type DelegateOptions, listOf } from './delegate.ts'
import { type Delegation, delegate } from './delegation.ts'
import { DelegationError } from './errors.ts'

/**
 * Delegates a part of the bucket of a connection. In the bucket of somebody else it hands on what the wallet holds for
 * it, unless `via` says what.
 * @throws {DelegationError} as `delegate` does; `no-delegation` where the wallet holds nothing that could be handed on
 */
export async function delegateAt(
  transport: Transport,
  wallet: CredentialWallet | undefined,
  options: DelegateOptions,
): Promise<Delegation> {
  const { signer, address } = transport
  // Right after a revoke-all, what is issued in the same second would be void.
  const now = () => Math.max(transport.now(), transport.issueTime() * 1000)
  const via = options.via ?? (await fromWallet(transport, wallet, options))
  return delegate(signer, { address, ...options, now, ...(via === null ? {} : { via }) })
}

/** `null` for the owner, who needs none. */
async function fromWallet(
  { did, address }: Transport,
  wallet: CredentialWallet | undefined,
  { path, can }: DelegateOptions,
): Promise<readonly Delegation[] | null> {
  if (controls(did, address)) return null
  if (path === undefined || can === undefined) {
    throw new DelegationError('no-delegation', 'say what is handed on ("path" and "can"), or of what ("via")')
  }
  const needs: Need[] = listOf(path).flatMap((place) =>
    listOf(can).map((name) => ({ ability: abilityNamed(name), path: place })),
  )
  const held = await wallet?.delegationsFor?.({ did, address }, needs)
  if (held !== null && held !== undefined) return held
  throw new DelegationError(
    'no-delegation',
    `the wallet holds nothing of ${address} that could be handed on like this`,
  )
}
