import type { Command } from 'commander'
import type { HubOptions } from '../context.ts'

/** What a command trusts beside what it knows. */
export interface TrustOptions extends HubOptions {
  allowSealer?: string[]
  confirmKey?: string[]
  trustFirst?: boolean
}

/** For commands that open sealed files. */
export function addSealerOptions(command: Command): Command {
  return command.option(
    '--allow-sealer <who>',
    'take what this one has sealed, beside yourself and the owner: a DID, a key on this machine, or "anybody"; may stand several times',
    collect,
  )
}

/** For commands that seal for others. */
export function addKeyOptions(command: Command): Command {
  return command
    .option(
      '--confirm-key <fingerprint>',
      "a recipient's key was compared with its holder and is this one; may stand several times",
      collect,
    )
    .option('--trust-first', "take recipients' keys that are used for the first time as they are")
}

/** Several times, or with commas. */
export function collect(text: string, before: string[] = []): string[] {
  return [...before, ...text.split(',').map((item) => item.trim())].filter((item) => item !== '')
}
