import type { Command } from 'commander'
import { parseGroup } from '../../seal/files/group-keys.ts'
import type { SealFor } from '../../seal/seal-for.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand, defineGroup } from '../define-command.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { changeGroups, readGroups } from '../sealed/groups-file.ts'
import { openSealed, type SealedSession } from '../sealed/open-sealed.ts'
import { readGroup, readRecipients } from '../sealed/recipients.ts'
import { runFolder } from '../sealed/run-folder.ts'
import { settleKeys } from '../sealed/storing.ts'
import { addKeyOptions, addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { identityOf } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { tellRecipients } from './share.ts'

export function groupCommand(context: CliContext): Command {
  return defineGroup('group', 'Seal for several at once', [
    createCommand(context),
    addCommand(context),
    removeCommand(context),
    membersCommand(context),
    refreshCommand(context),
    joinCommand(context),
    leaveCommand(context),
    listCommand(context),
  ])
}

function createCommand(context: CliContext): Command {
  const command = defineCommand('create', {
    summary: 'Make a group',
    details:
      'A group is a file that holds a key, sealed for its members and you. What is sealed for the group opens for whoever is a member. Members tell their own machines of it: mandate group join.',
    usesHub: true,
    examples: [
      ['mandate group create teams/board bob did:key:z6Mk…', 'two members, and you'],
      ['mandate put plan.pdf plans/ --seal-for teams/board', 'seals for it'],
    ],
  })
    .argument('<path>', 'where it is to be: [owner:]path')
    .argument('<members...>', 'keys on this machine, DIDs, addresses')
  return addKeyOptions(command).action(async (text: string, who: string[], options: TrustOptions) => {
    const place = await readRemotePath(context, text)
    if (isFolderPath(place)) throw new CliError('usage', `${text} is a folder; a group is a file`)
    const session = await openSealed(context, options, place.address)
    const members = await readMembers(context, session, who)
    const { group, recipients } = await session.files.createGroup(place.path, members)
    await remember(context, group)
    context.out.result({ group, members: recipients }, printable(group))
    context.out.note(`Members open what is sealed for it after: mandate group join ${printable(group)}`)
  })
}

function addCommand(context: CliContext): Command {
  const command = defineCommand('add', {
    summary: 'Add members to a group',
    details: 'They open what is sealed for it from now on, and what was sealed for it before.',
    usesHub: true,
    examples: [['mandate group add teams/board carol', 'one more']],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .argument('<members...>', 'keys on this machine, DIDs, addresses')
  return addKeyOptions(command).action(async (text: string, who: string[], options: TrustOptions) => {
    const { session, group } = await begin(context, text, options)
    const members = await readMembers(context, session, who)
    const done = await session.files.addMembers(group, members)
    tellChange(context, group, done === null ? null : 'added to')
  })
}

function removeCommand(context: CliContext): Command {
  const command = defineCommand('remove', {
    summary: 'Remove members from a group',
    details:
      'The group gets a new key. What was sealed for the former one still opens for those who have kept that; "mandate group refresh" seals it anew. What they have read before cannot be unread.',
    usesHub: true,
    examples: [
      ['mandate group remove teams/board bob', 'from now on'],
      ['mandate group refresh teams/board', 'and for what was sealed before'],
    ],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .argument('<members...>', 'keys on this machine, DIDs, addresses')
  return addKeyOptions(command).action(async (text: string, who: string[], options: TrustOptions) => {
    const { session, group } = await begin(context, text, options)
    const done = await session.files.removeMembers(
      group,
      await readRecipients(context, session.identity, who),
    )
    tellChange(context, group, done === null ? null : 'removed from')
    if (done === null) return
    context.out.note('What they have read before cannot be unread: they may have kept it.')
    context.out.note(`To seal anew what the former key opens: mandate group refresh ${printable(text)}`)
  })
}

function membersCommand(context: CliContext): Command {
  return defineCommand('members', {
    summary: 'Tell who is in a group',
    usesHub: true,
    examples: [['mandate group members teams/board', 'for a member to see']],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .action(async (text: string, options: HubOptions) => {
      const { session, group } = await begin(context, text, options)
      const { address, path } = parseGroup(group)
      await tellRecipients(context, await session.files.at(address).recipients(path, session.open))
    })
}

function refreshCommand(context: CliContext): Command {
  const command = defineCommand('refresh', {
    summary: 'Seal anew what former keys of a group open',
    details: 'For after a member was removed. Interrupted, it goes on when it is run again.',
    usesHub: true,
    examples: [['mandate group refresh teams/board plans/', 'what is below plans/ of your own']],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .argument('[path]', 'folder of the files: [owner:]path (default: your own bucket)')
    .option('--keep-history', 'keep the versions that are replaced; they open for those who could open them')
  return addSealerOptions(command).action(
    async (text: string, folder: string | undefined, options: TrustOptions & { keepHistory?: boolean }) => {
      const { address, path } = await readRemotePath(context, folder ?? '')
      const session = await openSealed(context, options, address)
      const group = await readGroup(context, session.identity, text)
      const { keepHistory = false } = options
      await runFolder(context, {
        label: 'refresh',
        done: 'sealed anew',
        work: (run) => session.files.refreshGroup(group, path, { ...session.open, keepHistory, ...run }),
      })
    },
  )
}

function joinCommand(context: CliContext): Command {
  return defineCommand('join', {
    summary: 'Use a group that you are a member of, from now on',
    usesHub: true,
    examples: [['mandate group join gaia://1Alice…/teams/board', 'as the one who made it has told you']],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .action(async (text: string, options: HubOptions) => {
      const { session, group } = await begin(context, text, options)
      const { address, path } = parseGroup(group)
      await session.files.at(address).recipients(path, session.open)
      await remember(context, group)
      context.out.result({ group, joined: true }, `joined ${printable(group)}`)
    })
}

function leaveCommand(context: CliContext): Command {
  return defineCommand('leave', {
    summary: 'Forget a group on this machine',
    details: 'Its file still names you, until you are removed there.',
    usesHub: true,
    examples: [['mandate group leave gaia://1Alice…/teams/board', 'see: mandate group list']],
  })
    .argument('<group>', 'path of its file, or gaia://…')
    .action(async (text: string, options: HubOptions) => {
      const group = await readGroup(context, await identityOf(context, options), text)
      if (!(await readGroups(context)).includes(group)) {
        throw new CliError('not-found', `${group} is no group that was joined here`)
      }
      await changeGroups(context, (groups) => groups.filter((one) => one !== group))
      context.out.result({ group, joined: false }, `left ${printable(group)}`)
    })
}

function listCommand(context: CliContext): Command {
  return defineCommand('list', {
    summary: 'List the groups that are used on this machine',
    examples: [['mandate group list', 'those that were made or joined here']],
  }).action(async () => {
    for (const group of await readGroups(context)) context.out.result({ group }, printable(group))
  })
}

async function begin(
  context: CliContext,
  text: string,
  options: TrustOptions,
): Promise<{ session: SealedSession; group: string }> {
  const session = await openSealed(context, options, null)
  return { session, group: await readGroup(context, session.identity, text) }
}

/** Members are keys, not groups, and their keys are looked at before anything is written. */
async function readMembers(
  context: CliContext,
  session: SealedSession,
  who: readonly string[],
): Promise<SealFor[]> {
  const members = await readRecipients(context, session.identity, who)
  if (members.some((one) => typeof one === 'string' && one.startsWith('gaia://'))) {
    throw new CliError('usage', 'members of a group are keys, not groups')
  }
  await settleKeys(session, members)
  return members
}

async function remember(context: CliContext, group: string): Promise<void> {
  await changeGroups(context, (groups) => (groups.includes(group) ? groups : [...groups, group]))
}

function tellChange({ out }: CliContext, group: string, done: string | null): void {
  const outcome = done === null ? 'unchanged' : 'changed'
  out.result(
    { group, outcome },
    done === null ? `${printable(group)} was so already` : `${done} ${printable(group)}`,
  )
}
