/** The members of a JSON answer. */
export function json(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>
}

/** @throws where the answer has no such text */
export function textOf(answer: Record<string, unknown>, name: string): string {
  const value = answer[name]
  if (typeof value !== 'string') throw new Error(`the answer has no text "${name}"`)
  return value
}
