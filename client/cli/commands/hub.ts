import type { Command } from 'commander'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand, defineGroup } from '../define-command.ts'
import { hubUrlOf, openReading } from '../session.ts'
import { alignColumns } from '../terminal/output.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'

export function hubCommand(context: CliContext): Command {
  return defineGroup('hub', 'Ask a hub about itself', [infoCommand(context)])
}

/** No key is needed to ask; any address will do. */
const nobody = '1111111111111111111114oLvT2'

function infoCommand(context: CliContext): Command {
  return defineCommand('info', {
    summary: 'Tell what the hub says of itself',
    details: 'Needs no key.',
    usesHub: true,
    examples: [
      ['mandate hub info', 'the hub of the profile'],
      ['mandate hub info --hub https://hub.example.com --json', 'another one, for scripts'],
    ],
  }).action(async (options: HubOptions) => {
    const url = await hubUrlOf(context, options)
    const { hub } = await openReading(context, options, nobody)
    const rows = [
      ['hub', url],
      ['read at', hub.readUrlPrefix],
      ['did', hub.did ?? 'none: this hub takes no UCANs'],
      ['software', hub.software === null ? 'not told' : `${hub.software.name} ${hub.software.version}`],
      ['largest file', hub.maxFileBytes === null ? 'not told' : formatBytes(hub.maxFileBytes)],
      ['extensions', hub.extensions.length === 0 ? 'none: a plain Gaia hub' : hub.extensions.join(', ')],
      ['revocations', revocationText(hub.revocationMaxAgeSeconds)],
    ]
    const { challengeText: _challenge, ...told } = hub
    context.out.result({ url, ...told }, alignColumns(rows).map(printable))
  })
}

function revocationText(seconds: number | null): string {
  if (seconds === null) return 'not told'
  return `hold at once here, within ${seconds} s at other hubs over the same storage`
}
