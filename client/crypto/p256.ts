/** The field of P-256 and the constant of its equation, y² = x³ − 3x + b (FIPS 186-5, SP 800-186 section 3.2.1.3). */
const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn

/**
 * A compressed point of P-256 (SEC 1 section 2.3.4) as 65 bytes, since not every WebCrypto reads compressed ones.
 * @throws {RangeError} for what is no point of the curve
 */
export function expandP256(key: Uint8Array): Uint8Array<ArrayBuffer> {
  const x = toNumber(key.subarray(1))
  const right = modulo(x ** 3n - 3n * x + b)
  // As p is 3 modulo 4, this is a root where there is one.
  const root = power(right, (p + 1n) / 4n)
  const isForm = key.length === 33 && (key[0] === 2 || key[0] === 3) && x < p
  if (!isForm || modulo(root * root) !== right) throw new RangeError('that is no point of P-256')
  const isOdd = (root & 1n) === 1n
  const y = isOdd === (key[0] === 3) ? root : p - root
  return Uint8Array.of(4, ...toBytes(x), ...toBytes(y))
}

/** ECDSA with SHA-256, either s. @param publicKey compressed */
export async function verifyP256(
  signature: Uint8Array,
  bytes: Uint8Array<ArrayBuffer>,
  publicKey: Uint8Array,
): Promise<boolean> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const key = await crypto.subtle.importKey('raw', expandP256(publicKey), algorithm, false, ['verify'])
  return crypto.subtle.verify(algorithm, key, Uint8Array.from(signature), bytes)
}

function modulo(value: bigint): bigint {
  const rest = value % p
  return rest < 0n ? rest + p : rest
}

/** By squaring. Nothing secret goes in, so the time may tell of it. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = modulo(result * square)
    square = modulo(square * square)
  }
  return result
}

function toNumber(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n)
}

function toBytes(number: bigint): Uint8Array {
  const digits = number.toString(16).padStart(64, '0')
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}
