/** Whom to seal for. */
export type SealFor =
  /** A `did:key`, or `gaia://<address>/<path>` of a group. */
  | string
  /** Whoever owns the address; its owner must have published a key there, unless it is of `did:key` kind. */
  | { readonly address: string }
  /** Exactly this key, whatever its holder publishes: a `did:key`. */
  | { readonly key: string }
