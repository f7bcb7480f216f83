/** Versions that say in every byte which one they are, and differ in size and type. */
export function contentOf(version: number): Buffer {
  return Buffer.from(`${version};`.repeat(1 + ((version * 7919) % 20_000)))
}

export function typeOf(version: number): string {
  return `version/${version}`
}

export function versionOf(contentType: string): number {
  return Number(contentType.slice('version/'.length))
}
