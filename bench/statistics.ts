/** The middle value of some figures. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2
}

/** `5,384 (5,100–5,600)`: the median and the range of some figures. */
export function spread(values: readonly number[]): string {
  const show = (value: number) => Math.round(value).toLocaleString('en')
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`
}
