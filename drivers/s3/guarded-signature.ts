import { createHash, createHmac } from 'node:crypto'
import { typeNames } from './content-type.ts'
import { tombstoneMetadata, writeIdMetadata } from './metadata.ts'

/**
 * Headers that make of a PUT something else than was meant, or leave more with an object than its bytes and type.
 * AWS refuses every `x-amz-…` header that a signature does not name. Ceph does not: there whoever holds a presigned
 * upload could have any object copied that the hub can read, open the object to others for good, or mark it as
 * deleted.
 */
const guarded: readonly string[] = [
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-acl',
  'x-amz-copy-source',
  'x-amz-copy-source-if-match',
  'x-amz-copy-source-if-modified-since',
  'x-amz-copy-source-if-none-match',
  'x-amz-copy-source-if-unmodified-since',
  'x-amz-copy-source-range',
  'x-amz-decoded-content-length',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-context',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-server-side-encryption-customer-key',
  'x-amz-server-side-encryption-customer-key-md5',
  'x-amz-storage-class',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  ...[...Object.keys({ ...writeIdMetadata(''), ...tombstoneMetadata() }), ...typeNames].map(
    (name) => `x-amz-meta-${name}`,
  ),
]

/**
 * Signs a presigned URL anew, so that its signature names all guarded headers, though the request has none of them.
 * Servers that pass over what is named and not there take the request, and refuse it as soon as it brings one.
 * @param url as the SDK presigns it, by Signature Version 4 in the query
 * @param headers of the request but `host`, their names in lower case
 */
export function signGuarded(
  url: string,
  method: string,
  headers: Readonly<Record<string, string>>,
  secretAccessKey: string,
): string {
  const { origin, host, pathname, searchParams } = new URL(url)
  const values: Record<string, string> = { ...headers, host }
  const names = [...new Set([...Object.keys(values), ...guarded])].sort()
  searchParams.delete('X-Amz-Signature')
  searchParams.set('X-Amz-SignedHeaders', names.join(';'))
  const query = canonicalQuery(searchParams)
  const present = names.filter((name) => values[name] !== undefined)
  const lines = present.map((name) => `${name}:${(values[name] ?? '').trim().replace(/ +/g, ' ')}\n`).join('')
  const canonical = [method, pathname, query, lines, names.join(';'), 'UNSIGNED-PAYLOAD'].join('\n')
  return `${origin}${pathname}?${query}&X-Amz-Signature=${sign(searchParams, canonical, secretAccessKey)}`
}

/** "Create a signature" of AWS Signature Version 4. */
function sign(query: URLSearchParams, canonical: string, secretAccessKey: string): string {
  const scope = (query.get('X-Amz-Credential') ?? '').split('/').slice(1)
  const hash = createHash('sha256').update(canonical).digest('hex')
  const text = ['AWS4-HMAC-SHA256', query.get('X-Amz-Date'), scope.join('/'), hash].join('\n')
  const key = scope.reduce(hmac, Buffer.from(`AWS4${secretAccessKey}`))
  return hmac(key, text).toString('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Sorted by bytes, all but unreserved characters (RFC 3986 section 2.3) escaped. */
function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => `${escapeAll(name)}=${escapeAll(value)}`)
  return pairs.sort().join('&')
}

function escapeAll(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
