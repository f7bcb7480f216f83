import type { BodySource } from './transport.ts'

const utf8 = new TextEncoder()

/** A text as a body that can be sent as often as needed. */
export function textBody(text: string): BodySource {
  return bytesBody(utf8.encode(text))
}

/** Bytes that nobody changes while they are sent. */
export function bytesBody(bytes: Uint8Array<ArrayBuffer>): BodySource {
  return { size: bytes.length, replayable: true, open: () => bytes }
}
