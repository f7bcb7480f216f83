import { nodeAt } from './describe.ts'

/** Where a value came from: the configuration file, an environment variable, a flag, or nowhere. */
export interface Origin {
  source: 'file' | 'environment' | 'command line' | 'default'
  /** The key as it stands in the file, the variable's or the flag's name. */
  name: string
}

export interface Fault {
  /** The key as the operator wrote it in a file, else its name in the schema. */
  key: string
  /** The value as text, secrets masked; absent where the key itself is at fault. */
  value?: string
  /** What is wrong and what is allowed; for people. */
  problem: string
  origin: Origin
}

/** The configuration cannot be used; `message` tells every fault, and never a secret. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super(faults.map(faultText).join('\n'))
    this.name = 'ConfigError'
    this.faults = faults
  }
}

export function faultText({ key, value, problem, origin }: Fault): string {
  return `${key}${value === undefined ? '' : ` = ${value}`} (${originText(origin)}): ${problem}`
}

function originText({ source, name }: Origin): string {
  switch (source) {
    case 'file':
      return 'in the file'
    case 'environment':
      return `environment variable ${name}`
    case 'command line':
      return `flag ${name}`
    case 'default':
      return 'default'
  }
}

export const masked = '(hidden)'
const longestShown = 120

/** A value as text for a message. Whatever lies in or under a secret or a section of credentials is masked. */
export function showValue(path: readonly PropertyKey[], value: unknown): string {
  if (isSecret(path)) return masked
  const text = typeof value === 'bigint' ? String(value) : (JSON.stringify(value) ?? String(value))
  const shown = maskUrl(text)
  return shown.length > longestShown ? `${shown.slice(0, longestShown)}…` : shown
}

/** Secrets, and sections with a secret within: a wrong type there may hold it. */
export function isSecret(path: readonly PropertyKey[]): boolean {
  if (path.some((_, i) => nodeAt(path.slice(0, i + 1))?.secret === true)) return true
  const properties = nodeAt(path)?.properties
  return properties !== undefined && Object.keys(properties).some((key) => isSecret([...path, key]))
}

/** User and password of a URL. */
function maskUrl(text: string): string {
  return text.replace(/\/\/[^/?#"]*@/g, `//${masked}@`)
}
