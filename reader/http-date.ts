/** A time as HTTP writes it, whole seconds. @param ms since 1970 */
export function formatHttpDate(ms: number): string {
  return new Date(ms).toUTCString()
}

/**
 * RFC 9110 section 5.6.7: the form that everybody sends, and the two obsolete ones that must be understood.
 * `Date.parse` alone would take a bare year for a date, and the last of them for local time.
 */
const forms = [
  { pattern: /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/, zone: '' },
  { pattern: /^[A-Z][a-z]+day, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/, zone: '' },
  { pattern: /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/, zone: ' GMT' },
]

/** Seconds since 1970; `null` for a text that is not an HTTP date. */
export function parseHttpDate(text: string): number | null {
  const form = forms.find(({ pattern }) => pattern.test(text))
  if (form === undefined) return null
  const ms = Date.parse(text + form.zone)
  return Number.isNaN(ms) ? null : ms / 1000
}
