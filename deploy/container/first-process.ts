import type { Kind } from '../process/config/schema.ts'

export interface ServerCommand {
  kind: Kind
  /** Its flags. */
  argv: string[]
}

const kinds: Record<string, Kind> = { hub: 'hub', reader: 'reader', serve: 'both' }

/**
 * The server that the first process of a container is, or has started where that is an init of the engine's own.
 * @param commandLine as in `/proc/1/cmdline`: words that each end in a NUL
 */
export function serverCommand(commandLine: string): ServerCommand {
  const words = commandLine.split('\0').slice(0, -1)
  const at = words.findIndex((word) => scriptOf(word) !== undefined)
  // Someone else's, where the processes of several containers see each other: then what the image starts by itself.
  if (at < 0) return { kind: 'both', argv: [] }
  return { kind: scriptOf(words[at] ?? '') ?? 'both', argv: words.slice(at + 1) }
}

function scriptOf(word: string): Kind | undefined {
  return kinds[/(?:^|\/)mandate-([a-z]+)\.js$/.exec(word)?.[1] ?? '']
}
