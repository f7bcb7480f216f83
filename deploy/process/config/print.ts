import { isSecret, masked } from './fault.ts'
import type { Config } from './schema.ts'
import { isTree } from './setting.ts'

/** The configuration in force as JSON that can serve as a file, its secrets masked. */
export function printConfig(config: Config): string {
  return `${JSON.stringify(mask(config, []), null, 2)}\n`
}

function mask(value: unknown, path: readonly string[]): unknown {
  if (isTree(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, mask(child, [...path, key])]))
  }
  return isSecret(path) ? masked : value
}
