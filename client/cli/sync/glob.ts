/**
 * A pattern of paths: `*` stands for anything but a slash, `**` for anything, `?` for one character. One without a
 * slash holds for names in every folder, and what matches a folder holds for all that is below it.
 */
export function matcherOf(pattern: string): (path: string) => boolean {
  const trimmed = pattern.replace(/^\.?\//, '').replace(/\/$/, '')
  const body = trimmed.replace(/\*\*\/?|[*?]|[\\^$.|+()[\]{}]/g, (token) => {
    if (token.startsWith('**')) return '.*'
    if (token === '*') return '[^/]*'
    return token === '?' ? '[^/]' : `\\${token}`
  })
  const expression = new RegExp(`^${trimmed.includes('/') ? '' : '(?:.*/)?'}${body}(?:/.*)?$`, 's')
  return (path) => expression.test(path)
}
