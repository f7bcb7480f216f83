/**
 * The form in which an etag travels everywhere: in answers' bodies as in the `ETag` header, a strong entity tag
 * (RFC 9110 8.8.3).
 * @param etag as a driver names a version, without quotes
 */
export function quoteEtag(etag: string): string {
  return `"${etag}"`
}

/**
 * What an entity tag names, in whatever quotes a client sends it back: none, those that it came in, or more around
 * those. A weak one keeps its `W/`, and so equals no version where the comparison is strong.
 */
export function unquoteEtag(tag: string): string {
  return tag.replace(/^"+|"+$/g, '')
}
