/** Bounds of PROTOCOL 2.2, all checked before the first signature. */

/** Bytes that a credential and all its proofs may have together as sent; inline proofs count once. */
export const maxUcanBytes = 16_384
/** Tokens from root to invocation, both included. */
export const maxChainLength = 8
/** Distinct tokens in all, those that nothing names included. */
export const maxTokens = 16
/** Capabilities of all tokens; each alternative of a `cap` is one. */
export const maxCapabilities = 64
/** How deep the JSON of a token may nest. */
export const maxJsonDepth = 32
/** Seconds that another's clock may run ahead of ours, for `nbf` and issue times. */
export const clockLeewaySeconds = 60
