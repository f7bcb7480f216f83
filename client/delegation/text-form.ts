import { DelegationError } from './errors.ts'
import { maxChainBytes, maxTokens } from './limits.ts'

/** Divides the tokens of a delegation; no token has one, and no URL needs to escape it. */
const divider = '~'

/** Of a URL that is nothing but a delegation. */
const scheme = 'mandate:'

/** The name under which the fragment of any other URL holds one. */
const fragmentName = 'mandate'

/** Room for an address of a page around the longest delegation. */
const maxTextLength = maxChainBytes + maxTokens + 4_096

/** A token, and those that travel beside it, as one text. */
export function formatText(jwt: string, companions: readonly string[]): string {
  return [jwt, ...companions].join(divider)
}

/**
 * A delegation as a URL.
 * @param page an absolute URL of a page that takes delegations. What it gets stands in the fragment, which browsers
 *   send to no server. Without it, a `mandate:` URL.
 * @throws {DelegationError} `malformed` for anything but an absolute URL
 */
export function formatUrl(text: string, page?: string | URL): string {
  if (page === undefined) return scheme + text
  const url = URL.parse(page)
  if (url === null || !/^[a-z][a-z0-9+.-]*:$/.test(url.protocol)) {
    throw new DelegationError('malformed', 'the page must be an absolute URL')
  }
  url.hash = `${fragmentName}=${text}`
  return url.href
}

/**
 * Takes a text apart: the tokens as they stand, a `mandate:` URL, or any URL with `mandate=` in its fragment.
 * White space is left out wherever it stands: mail programs and terminals break long lines.
 * @returns the outermost token first
 * @throws {DelegationError} `malformed`, `too-large`
 */
export function parseText(text: string): [string, ...string[]] {
  if (text.length > 2 * maxTextLength) throw tooLong()
  const compact = text.replace(/\s+/g, '')
  if (compact.length > maxTextLength) throw tooLong()
  const [first = '', ...others] = withoutUrl(compact).split(divider, maxTokens + 1)
  if (![first, ...others].every((token) => /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token))) {
    throw new DelegationError(
      'malformed',
      'this is no delegation: expected one or more tokens, a mandate: URL, or a URL with #mandate=',
    )
  }
  return [first, ...others]
}

function withoutUrl(text: string): string {
  if (text.slice(0, scheme.length).toLowerCase() === scheme) return text.slice(scheme.length)
  if (!text.includes('#')) return text
  // Parsed by hand: a divider or a dot that some program has escaped on the way is put back.
  const fragment = text.slice(text.indexOf('#') + 1)
  const found = fragment.split('&').filter((part) => part.startsWith(`${fragmentName}=`))
  const [only = ''] = found.length === 1 ? found : []
  return only
    .slice(fragmentName.length + 1)
    .replace(/%7e/gi, divider)
    .replace(/%2e/gi, '.')
}

function tooLong(): DelegationError {
  return new DelegationError('too-large', 'the text is longer than any delegation')
}
