/** How the bytes of objects go over the network. */
export interface TransferOptions {
  /** Bodies up to here are stored by one request; larger ones in blocks of this size. */
  readonly blockBytes: number
  /** How many blocks of one body are sent at once, at least 1. */
  readonly concurrency: number
  /** How long a download may bring nothing while more is asked for. Milliseconds. */
  readonly stallMs: number
}

/** Azure: a blob has at most 50,000 blocks. */
export const maxBlocks = 50_000
