/** Delegations as things: made, sent, looked at, handed on, kept. */
export { type Ability, abilities } from './capabilities.ts'
export { cidOf, isCid } from './cid.ts'
export type { DelegateOptions } from './delegate.ts'
export { type AttenuateOptions, Delegation, delegate } from './delegation.ts'
export { DelegationError, type DelegationErrorCode } from './errors.ts'
export type { Moment } from './expiry.ts'
export {
  type InspectedCapability,
  type InspectedLink,
  type Inspection,
  inspect,
  type Problem,
} from './inspect.ts'
export { type Invocation, type InvokeOptions, invoke, type Way } from './invoke.ts'
export { audienceOf } from './recipients.ts'
export type { ProofForm } from './rest-on.ts'
export { Wallet, type WalletOptions, type WalletRequest } from './wallet.ts'
export { memoryStorage, type WalletStorage } from './wallet-storage.ts'
