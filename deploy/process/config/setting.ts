import type { Origin } from './fault.ts'
import { hubSchema, type Kind, readerSchema } from './schema.ts'

/** One value that some source gives for one key. */
export interface Setting {
  path: readonly string[]
  value: unknown
  origin: Origin
}

export type Tree = { [key: string]: unknown }

/** The one section whose members are not ours: each is handed on whole, whatever it is. */
export const openSection = 'driverSettings'

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date)
}

/**
 * Puts every setting where the schema has it. A key of the hub or the reader may stand at the top, as in Gaia's
 * own files; one that both have goes to both, but the ports, which are the one server's that runs, or the hub's. What
 * stands in a section goes before what stands at the top.
 */
export function placeSettings(settings: readonly Setting[], kind: Kind): Setting[] {
  const sectioned = settings.filter(({ path }) => path[0] === 'hub' || path[0] === 'reader')
  const flat = settings.filter((setting) => !sectioned.includes(setting))
  const placed = flat.flatMap((setting) => {
    const sections = sectionsOf(setting.path[0] ?? '', kind)
    if (sections.length === 0) return [setting]
    return sections.map((section) => ({ ...setting, path: [section, ...setting.path] }))
  })
  return [...placed, ...sectioned]
}

function sectionsOf(key: string, kind: Kind): string[] {
  if (key === 'port' || key === 'httpsPort') return [kind === 'reader' ? 'reader' : 'hub']
  return [
    ...(Object.hasOwn(hubSchema.shape, key) ? ['hub'] : []),
    ...(Object.hasOwn(readerSchema.shape, key) ? ['reader'] : []),
  ]
}

/** The values as one tree, later settings over earlier ones. */
export function buildTree(settings: readonly Setting[]): Tree {
  const tree: Tree = {}
  for (const { path, value } of settings) setAt(tree, path, value)
  return tree
}

function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  const [key, ...rest] = path
  if (key === undefined) return
  const there = Object.hasOwn(tree, key) ? tree[key] : undefined
  // A value where a section belongs stays, so that it is found to be a fault; so does a section under an empty one.
  if (rest.length > 0 && there !== undefined && !isTree(there)) return
  if (rest.length === 0 && isTree(there) && isTree(value) && Object.keys(value).length === 0) return
  const next = rest.length === 0 ? value : isTree(there) ? there : {}
  if (rest.length > 0) setAt(next as Tree, rest, value)
  // Not by assignment: `__proto__` is a key like any other here, an unknown one.
  Object.defineProperty(tree, key, { value: next, enumerable: true, writable: true, configurable: true })
}
