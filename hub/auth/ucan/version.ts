/** Version of the UCAN specification that a token follows: 0.`minor`.`patch`. */
export interface UcanVersion {
  readonly minor: 8 | 9 | 10
  readonly patch: number
}

const pattern = /^0\.(8|9|10)\.(0|[1-9]\d{0,5})$/

/** Versions that are understood, as `hub_info` tells them. */
export const ucanVersions = ['0.8.1', '0.9.1', '0.10.0'] as const

/** Reads a `ucv`; `null` for any version but 0.8.x, 0.9.x and 0.10.x. */
export function parseVersion(text: string): UcanVersion | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const minor = Number(match[1])
  return minor === 8 || minor === 9 || minor === 10 ? { minor, patch: Number(match[2]) } : null
}

export function isOlder(a: UcanVersion, b: UcanVersion): boolean {
  return a.minor === b.minor ? a.patch < b.patch : a.minor < b.minor
}
