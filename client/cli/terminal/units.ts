const binaryUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const

/** Bytes as people read them: `0 B`, `1.5 KiB`, `12 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < binaryUnits.length - 1) {
    value /= 1024
    unit += 1
  }
  const digits = unit === 0 || value >= 10 ? 0 : 1
  return `${value.toFixed(digits)} ${binaryUnits[unit] ?? 'B'}`
}

const byteFactors: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  kib: 1024,
  kb: 1000,
  m: 1024 ** 2,
  mib: 1024 ** 2,
  mb: 1000 ** 2,
  g: 1024 ** 3,
  gib: 1024 ** 3,
  gb: 1000 ** 3,
}

/** `500`, `20k`, `1.5MiB`, `2 GB` → bytes; `null` where it is no size. */
export function parseBytes(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text.trim()) ?? []
  const factor = byteFactors[unit.toLowerCase()]
  if (digits === '' || factor === undefined) return null
  const bytes = Math.round(Number(digits) * factor)
  return Number.isSafeInteger(bytes) ? bytes : null
}

const secondFactors: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 604_800,
  y: 31_536_000,
}

/** `90s`, `15m`, `12h`, `30d`, `2w`, `1y` → seconds; `null` where it is no time span. */
export function parseDuration(text: string): number | null {
  const [, digits = '', unit = ''] = /^(\d{1,6})([smhdwy])$/.exec(text.trim()) ?? []
  const factor = secondFactors[unit]
  return factor === undefined ? null : Number(digits) * factor
}

/** Seconds since 1970 as `2026-11-22 07:19`, in UTC. */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000)
  if (Number.isNaN(date.getTime())) return String(seconds)
  return date.toISOString().slice(0, 16).replace('T', ' ')
}

/** A span of time as people say it: `45 s`, `12 min`, `5 h`, `30 days`. */
export function formatSpan(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} days`
}
