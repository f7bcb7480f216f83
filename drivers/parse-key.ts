import { authKey, fileKey, type Key, KeyError, parseAddress, parsePath } from './key.ts'

const authSuffix = '-auth'

/**
 * Makes a key of a name that was found in storage, by the same rules that every other key obeys.
 * @throws {KeyError} when no caller could ever have asked for that name
 */
export function parseKey(text: string): Key {
  const slash = text.indexOf('/')
  if (slash < 0) throw new KeyError('the key has no slash')
  const bucket = text.slice(0, slash)
  const path = text.slice(slash + 1)
  return bucket.endsWith(authSuffix)
    ? authKey(parseAddress(bucket.slice(0, -authSuffix.length)), path)
    : fileKey(parseAddress(bucket), parsePath(path))
}

/** {@link parseKey}, with `null` for what cannot be a key: a listing leaves such names out. */
export function parseKeyOrNull(text: string): Key | null {
  try {
    return parseKey(text)
  } catch (error) {
    if (error instanceof KeyError) return null
    throw error
  }
}
