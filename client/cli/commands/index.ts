import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import type { CommandGroup } from '../define-command.ts'
import { catCommand } from './cat.ts'
import { getCommand } from './get.ts'
import { historyCommand, restoreCommand } from './history.ts'
import { hubCommand } from './hub.ts'
import { keyCommand } from './key.ts'
import { lsCommand } from './ls.ts'
import { profileCommand } from './profile.ts'
import { putCommand } from './put.ts'
import { rmCommand } from './rm.ts'

interface Group {
  heading: CommandGroup
  commands: Command[]
}

/** All commands, in the order of the help. */
export function commandGroups(context: CliContext): Group[] {
  return [
    {
      heading: 'Files:',
      commands: [
        putCommand(context),
        getCommand(context),
        catCommand(context),
        lsCommand(context),
        rmCommand(context),
        historyCommand(context),
        restoreCommand(context),
      ],
    },
    { heading: 'Delegations:', commands: [] },
    {
      heading: 'Keys and hubs:',
      commands: [keyCommand(context), profileCommand(context), hubCommand(context)],
    },
    { heading: 'More:', commands: [] },
  ]
}
