/** One table of the results, with what stands under its title. */
export interface Section {
  title: string
  text: string
}

/**
 * The file of results with some sections measured anew: these take the place of the former ones, or come last; all
 * others stay as they are.
 * @param former the file as it is, `''` where there is none
 */
export function replaceSections(former: string, intro: string, measured: readonly Section[]): string {
  const [head = '', ...kept] = former.split(/^## /m)
  const sections = new Map(kept.map((text) => [text.slice(0, text.indexOf('\n')), text.trim()]))
  for (const { title, text } of measured) sections.set(title, `${title}\n\n${text.trim()}`)
  const parts = [former === '' ? intro : head, ...[...sections.values()].map((text) => `## ${text}`)]
  return `${parts.map((part) => part.trim()).join('\n\n')}\n`
}
