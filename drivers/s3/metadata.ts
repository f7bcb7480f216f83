/**
 * What this driver keeps with an object beside its content type. An object without any of it, written by another
 * program, is as good as one with it.
 */
type Metadata = Record<string, string> | undefined

/** Tells a write whose answer was lost from one that came too late. */
const writeId = 'mandate-write'
const tombstone = 'mandate-deleted'

export function writeIdMetadata(id: string): Record<string, string> {
  return { [writeId]: id }
}

export function writeIdOf(metadata: Metadata): string | undefined {
  return metadata?.[writeId]
}

export function tombstoneMetadata(): Record<string, string> {
  return { [tombstone]: 'true' }
}

export function isTombstone(metadata: Metadata): boolean {
  return metadata?.[tombstone] !== undefined
}
