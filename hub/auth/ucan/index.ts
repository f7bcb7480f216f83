/**
 * Verifies delegated authority: UCAN chains of versions 0.8 to 0.10 as JWTs, for resources of a Gaia hub. Pure: no
 * HTTP, no storage, no clock; what it needs to know is handed in.
 */
export type { Ability, Capability, Caveats, Reach } from '../capability.ts'
export type { KeyKind, PublicKey } from '../keys.ts'
export { type Attenuation, checkAttenuation, type Extent } from './attenuation.ts'
export { formatCapability } from './capabilities.ts'
export { cidOf, isCid, revocationIdOf } from './cid.ts'
export { decodeUcan, type ProofLink, type Ucan } from './decode.ts'
export { UcanError, type UcanErrorCode, type UcanErrorDetails } from './errors.ts'
export type { SignatureCheck, VerifiedTokenCache } from './graph.ts'
export { parseUcansHeader } from './header.ts'
export * from './limits.ts'
export { namesKey } from './principals.ts'
export type { RevocationLookups } from './revocation.ts'
export { type TokenSummary, type VerifiedChain, type VerifyOptions, verifyChain } from './verify.ts'
export { type UcanVersion, ucanVersions } from './version.ts'
