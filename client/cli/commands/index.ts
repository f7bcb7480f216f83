import type { Command } from 'commander'
import type { CliContext } from '../context.ts'
import type { CommandGroup } from '../define-command.ts'
import { catCommand } from './cat.ts'
import { completionCommand } from './completion.ts'
import { delegateCommand } from './delegate.ts'
import { getCommand } from './get.ts'
import { grantCommand, grantsCommand, revokeAllCommand, revokeCommand } from './grants.ts'
import { groupCommand } from './group.ts'
import { historyCommand, restoreCommand } from './history.ts'
import { hubCommand } from './hub.ts'
import { inspectCommand } from './inspect.ts'
import { keyCommand } from './key.ts'
import { lsCommand } from './ls.ts'
import { profileCommand } from './profile.ts'
import { putCommand } from './put.ts'
import { delegationsCommand, forgetCommand, receiveCommand } from './received.ts'
import { rmCommand } from './rm.ts'
import { recipientsCommand, shareCommand, unshareCommand } from './share.ts'
import { sharedCommand } from './shared.ts'
import { sweepCommand } from './sweep.ts'
import { syncCommand } from './sync.ts'

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
        syncCommand(context),
      ],
    },
    {
      heading: 'Sealed files:',
      commands: [
        shareCommand(context),
        unshareCommand(context),
        recipientsCommand(context),
        sharedCommand(context),
        groupCommand(context),
        sweepCommand(context),
      ],
    },
    {
      heading: 'Delegations:',
      commands: [
        delegateCommand(context),
        receiveCommand(context),
        delegationsCommand(context),
        forgetCommand(context),
        grantCommand(context),
        grantsCommand(context),
        revokeCommand(context),
        revokeAllCommand(context),
        inspectCommand(context),
      ],
    },
    {
      heading: 'Keys and hubs:',
      commands: [keyCommand(context), profileCommand(context), hubCommand(context)],
    },
    { heading: 'More:', commands: [completionCommand(context)] },
  ]
}
