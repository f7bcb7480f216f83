import { DelegationError } from './errors.ts'

/**
 * A moment: a date, whole seconds since 1970, a length of time from now (`45s`, `30m`, `12h`, `7d`, `2w`), or a date
 * as text (`2026-12-31`, `2026-12-31T18:00:00Z`).
 */
export type Moment = Date | number | string

const unitSeconds = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 } as const

/**
 * Whole seconds since 1970.
 * @throws {DelegationError} `invalid-expiry`; also for a number that must be milliseconds
 */
export function secondsOf(moment: Moment, nowSeconds: number): number {
  const seconds =
    typeof moment === 'number' ? moment : typeof moment === 'string' ? read(moment, nowSeconds) : of(moment)
  // The year 5138; the same number of milliseconds is in 1973.
  if (Number.isSafeInteger(seconds) && seconds >= 0 && seconds < 1e11) return seconds
  throw new DelegationError(
    'invalid-expiry',
    'a time must be a Date, whole seconds since 1970, or a text such as 30d, 12h or 2026-12-31',
  )
}

function read(text: string, nowSeconds: number): number {
  const [, count, unit] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return nowSeconds + Number(count) * unitSeconds[unit as keyof typeof unitSeconds]
  return /^\d{4}-\d{2}-\d{2}/.test(text) ? of(new Date(text)) : Number.NaN
}

function of(date: Date): number {
  return Math.floor(date.getTime() / 1000)
}
