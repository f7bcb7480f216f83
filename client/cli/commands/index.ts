import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import type { CommandGroup } from '../define-command.ts'
import { keyCommand } from './key.ts'
import { profileCommand } from './profile.ts'

interface Group {
  heading: CommandGroup
  commands: Command[]
}

/** All commands, in the order of the help. */
export function commandGroups(context: CliContext): Group[] {
  return [
    { heading: 'Files:', commands: [] },
    { heading: 'Delegations:', commands: [] },
    { heading: 'Keys and hubs:', commands: [keyCommand(context), profileCommand(context)] },
    { heading: 'More:', commands: [] },
  ]
}
