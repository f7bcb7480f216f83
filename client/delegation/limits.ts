/** Bounds of every hub (PROTOCOL 2.2); a client holds itself to them, so that what it makes can be used. */

/** Bytes that a token and all its proofs may have together as sent; inline proofs count once. */
export const maxChainBytes = 16_384
/** Tokens from root to invocation, both included. */
export const maxChainLength = 8
/** Distinct tokens in all. */
export const maxTokens = 16
/** Capabilities of all tokens; each alternative of a `cap` is one. */
export const maxCapabilities = 64
/** Seconds that another's clock may run ahead, for `nbf`. */
export const clockLeewaySeconds = 60
