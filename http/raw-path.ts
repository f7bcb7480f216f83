/**
 * The path of a request target, still encoded, without its query. Express would decode it, and would rewrite
 * some characters on the way; names are decoded once, by drivers/key.ts.
 * @param target `req.url`: origin-form, or absolute-form as sent to a proxy (RFC 9112 section 3.2)
 */
export function rawPath(target: string): string {
  const query = target.indexOf('?')
  const path = query === -1 ? target : target.slice(0, query)
  if (path.startsWith('/')) return path
  return path.replace(/^https?:\/\/[^/]*/i, '') || '/'
}
