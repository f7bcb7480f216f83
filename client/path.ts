import { BadPathError } from './errors.ts'

const utf8 = new TextEncoder()

/**
 * Checks a decoded path by PROTOCOL 1.7 before anything is sent: a URL would silently resolve `..`, and another file
 * would be meant.
 * @throws {BadPathError}
 */
export function checkPath(path: string): void {
  if (path === '') throw new BadPathError('the path is empty')
  checkText(path)
  const segments = path.split('/')
  if (segments.length > 100) throw new BadPathError('the path has more than 100 segments')
  if (segments.includes('')) throw new BadPathError('the path has an empty segment')
  if (segments.some(isDots)) throw new BadPathError('the path has a "." or ".." segment')
  if (path.startsWith('.gaia-metadata')) throw new BadPathError('the path begins with a reserved name')
}

/** Checks the beginning of a path, cut anywhere. @throws {BadPathError} */
export function checkPrefix(prefix: string): void {
  checkText(prefix)
  const folders = prefix.split('/').slice(0, -1)
  if (folders.some((segment) => segment === '' || isDots(segment))) {
    throw new BadPathError('the prefix has an empty, "." or ".." segment')
  }
}

/** A decoded path in the form that stands in a URL. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

function isDots(segment: string): boolean {
  return segment === '.' || segment === '..'
}

function checkText(text: string): void {
  if (!text.isWellFormed()) throw new BadPathError('the path is not well-formed Unicode')
  if (utf8.encode(text).length > 1024) throw new BadPathError('the path has more than 1,024 bytes')
  if (/\p{Cc}/u.test(text)) throw new BadPathError('the path holds a control character')
  if (text.includes('\\')) throw new BadPathError('the path holds a backslash')
}
