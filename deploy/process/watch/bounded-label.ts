/**
 * Values of a label, of which no more than `max` are told apart; any further one is `other`. The values are from closed
 * sets as it is: this makes sure that a slip in one of them cannot fill the memory of whoever collects the numbers.
 */
export function boundedLabel(max: number): (value: string) => string {
  const known = new Set<string>()
  return (value) => {
    if (known.has(value)) return value
    if (known.size >= max) return 'other'
    known.add(value)
    return value
  }
}
