import type { FileTarget } from './target.ts'

/** Where a file is read, percent-encoded so that it can be fetched as it stands (RFC 3986 2.1). */
export function publicUrl(
  readUrlPrefix: string,
  { address, path }: Pick<FileTarget, 'address' | 'path'>,
): string {
  return `${readUrlPrefix}${address}/${path.split('/').map(encodeURIComponent).join('/')}`
}
