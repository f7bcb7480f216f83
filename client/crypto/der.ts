/**
 * Signatures of ECDSA over 256-bit curves in ASN.1 DER (RFC 3279 section 2.2.3): a SEQUENCE of the INTEGERs r and s.
 */

const integerTag = 0x02
const sequenceTag = 0x30

/** @param signature 64 bytes, r and s */
export function writeDer(signature: Uint8Array): Uint8Array {
  const body = [...writeInteger(signature.subarray(0, 32)), ...writeInteger(signature.subarray(32))]
  return Uint8Array.of(sequenceTag, body.length, ...body)
}

/** @returns 64 bytes, r and s. @throws {RangeError} for any other encoding than the one of DER */
export function readDer(der: Uint8Array): Uint8Array {
  const rLength = der[3] ?? 0
  const [r, s] = [der.subarray(4, 4 + rLength), der.subarray(6 + rLength)]
  const signature = new Uint8Array(64)
  signature.set(readInteger(r), 32 - significant(r).length)
  signature.set(readInteger(s), 64 - significant(s).length)
  // There is one encoding only: what does not come out the same is another.
  const again = writeDer(signature)
  if (again.length !== der.length || again.some((byte, i) => byte !== der[i]))
    throw new RangeError('that is no signature in DER')
  return signature
}

/** Big-endian in as few bytes as possible, the highest bit being the sign. */
function writeInteger(bytes: Uint8Array): number[] {
  const short = significant(bytes)
  const padded = short.length === 0 || (short[0] ?? 0) >= 0x80 ? [0, ...short] : [...short]
  return [integerTag, padded.length, ...padded]
}

function readInteger(bytes: Uint8Array): Uint8Array {
  const short = significant(bytes)
  if (short.length > 32) throw new RangeError('that is no signature in DER')
  return short
}

/** Without the zeros before the first byte that is none. */
function significant(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => byte !== 0)
  return start === -1 ? new Uint8Array() : bytes.subarray(start)
}
