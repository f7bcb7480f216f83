/**
 * The y, in 32 bytes, little-endian, of the eight points of edwards25519 whose order divides 8. Under such a key
 * anybody can make a signature that verifies (PROTOCOL 2.2 refuses them), and implementations disagree about such an R.
 */
const smallOrderYs: ReadonlySet<string> = new Set([
  `01${'00'.repeat(31)}`,
  `ec${'ff'.repeat(30)}7f`,
  '00'.repeat(32),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
])

/**
 * Whether an encoded point (RFC 8032 section 5.1.2), a key or the R of a signature, is of small order, or has a y from
 * the field's order on, which is no encoding at all.
 * @param point 32 bytes
 */
export function isUnsafeEd25519Point(point: Uint8Array): boolean {
  // The topmost bit is the sign of x.
  const y = point.with(31, (point[31] ?? 0) & 0x7f)
  return isAboveField(y) || smallOrderYs.has(hexOf(y))
}

/** 2^255 - 19 and the 18 numbers above it. */
function isAboveField(y: Uint8Array): boolean {
  return (y[0] ?? 0) >= 0xed && y[31] === 0x7f && y.subarray(1, 31).every((byte) => byte === 0xff)
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
