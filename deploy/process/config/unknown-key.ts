import { describeKeys, nodeAt } from './describe.ts'
import type { Fault } from './fault.ts'
import type { Setting } from './setting.ts'
import { suggest } from './suggest.ts'

/** The value of an unknown key is not told: a slip in the name of a secret is still a secret. */
export function unknownKeyFault(path: readonly string[], settings: readonly Setting[]): Fault {
  const setting = settings.find((other) => path.every((step, i) => step === other.path[i]))
  const origin = setting?.origin ?? { source: 'file', name: path.join('.') }
  return { key: path.join('.'), problem: `not known${hint(path)}`, origin }
}

function hint(path: readonly string[]): string {
  const [first = '', second] = path
  if ((first === 'hub' || first === 'reader') && second !== undefined && nodeAt([second]) !== undefined) {
    return `; ${second} belongs at the top of the file, for hub and reader alike`
  }
  const name = path.at(-1) ?? ''
  const nearest = suggest(name, candidates(path.slice(0, -1)))
  return nearest === undefined ? '' : `; did you mean ${[...path.slice(0, -1), nearest].join('.')}?`
}

/** What may stand beside it; at the top of a file also the keys of the hub and the reader. */
function candidates(section: readonly string[]): string[] {
  const beside = Object.keys(nodeAt(section)?.properties ?? {})
  if (section.length > 0) return beside
  const atTop = describeKeys().filter(({ path }) => path[0] === 'hub' || path[0] === 'reader')
  return [...beside, ...atTop.map(({ path }) => path[1] ?? '')]
}
