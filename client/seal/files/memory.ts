/**
 * What a reader must remember to notice that it is shown something old: versions that it has seen, and keys that it
 * has pinned. Short texts by name; `localStorage` and a file behind a Map both fit.
 */
export interface SealMemory {
  get(name: string): string | null | undefined | Promise<string | null | undefined>
  set(name: string, value: string): unknown
}

/** Forgets all with the process: what it has not seen since then is not noticed. */
export function volatileMemory(): SealMemory {
  return new Map<string, string>()
}
