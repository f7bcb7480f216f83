/** Delegations at a hub: deposited, listed, ended. */
export { depositGrant, type Grant, type GrantCallOptions } from './grant.ts'
export { type ListedGrant, type ListGrantsOptions, listGrants } from './list-grants.ts'
export { revokeDelegation } from './revoke.ts'
export { revokeAllTokens } from './revoke-all.ts'
