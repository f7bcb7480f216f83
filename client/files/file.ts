/** What is known of one version of a file. */
export interface FileInfo {
  /** Decoded, within the bucket. */
  readonly path: string
  /** Name of this version, as the hub writes it: with quotes. */
  readonly etag: string
  /** Bytes of the whole file. */
  readonly size: number
  readonly contentType: string
  /** When this version was written, in milliseconds since 1970; whole seconds. */
  readonly modifiedMs: number
}

/** What is known besides of a file that was sealed, and was opened; all of it is of the plain text then. */
export interface Unsealed {
  /** Who signed for the file as it is: the DID that shared it, or sealed it, last. */
  readonly sealedBy?: string
  /** Who sealed the content, as `sealedBy` says. */
  readonly contentBy?: string
  /** Whose key opened it: `did:key` of the key, the DID of its holder, the group. */
  readonly openedBy?: { readonly key: string; readonly did?: string; readonly group?: string }
}

/** One version of a file, or a range of it, with its bytes. */
export interface StoredFile extends FileInfo, Unsealed {
  readonly notModified: false
  readonly bytes: Uint8Array<ArrayBuffer>
  /** The bytes as UTF-8. */
  text(): string
  /** The bytes as JSON. @throws SyntaxError where they are none */
  json(): unknown
}

/** One version of a file, or a range of it, as a stream. */
export interface FileStream extends FileInfo, Unsealed {
  readonly notModified: false
  /**
   * Goes on by itself where the connection breaks, and fails where the file is replaced meanwhile: it never mixes two
   * versions and never ends short.
   */
  readonly stream: ReadableStream<Uint8Array>
}

/** The file is still the version that the caller has. */
export interface NotModified {
  readonly notModified: true
  readonly path: string
  readonly etag: string
}

export function storedFile(info: FileInfo, bytes: Uint8Array<ArrayBuffer>): StoredFile {
  const text = () => new TextDecoder().decode(bytes)
  return { ...info, notModified: false, bytes, text, json: () => JSON.parse(text()) as unknown }
}
