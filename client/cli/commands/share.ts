import type { Command } from 'commander'
import type { Recipient } from '../../seal/envelope.ts'
import { SealError } from '../../seal/errors.ts'
import type { ChangeOptions } from '../../seal/files/change.ts'
import type { FolderOptions, FolderResult } from '../../seal/files/folder.ts'
import type { FolderChangeOptions } from '../../seal/files/sealed-files.ts'
import type { SealFor } from '../../seal/seal-for.ts'
import { gaiaResource } from '../../sign-ucan.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, type RemotePath, readRemotePath } from '../remote-path.ts'
import { readGroups } from '../sealed/groups-file.ts'
import { openSealed, type SealedSession } from '../sealed/open-sealed.ts'
import { nameRecipients, readRecipients } from '../sealed/recipients.ts'
import { runFolder } from '../sealed/run-folder.ts'
import { settleKeys } from '../sealed/storing.ts'
import { addKeyOptions, addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { printable } from '../terminal/style.ts'

interface ShareOptions extends TrustOptions {
  recursive?: boolean
  keepHistory?: boolean
}

const whoText = 'keys on this machine, DIDs, addresses, groups'

export function shareCommand(context: CliContext): Command {
  const command = defineCommand('share', {
    summary: 'Let more recipients read a sealed file',
    details:
      'Only its envelope is written, a few kilobytes, however large the file is. A recipient\'s key that is used for the first time is shown, to be compared with what "mandate key fingerprint" prints for its holder.',
    usesHub: true,
    examples: [
      ['mandate share plans/2027.pdf bob', 'a file with a key on this machine'],
      ['mandate share -r plans/ did:key:z6Mk… 1Carol…', 'every sealed file below a folder with two others'],
      [
        'mandate share -r : alice --as alice',
        'with a recovery key that was named later than they were sealed',
      ],
    ],
  })
    .argument('<path>', 'sealed file, or folder: [owner:]path')
    .argument('<who...>', whoText)
    .option('-r, --recursive', 'every sealed file below a path that ends in a slash')
    .option('--keep-history', 'keep the envelopes that are replaced')
  return addSealerOptions(addKeyOptions(command)).action(
    async (text: string, who: string[], options: ShareOptions) => {
      const { place, session, named } = await begin(context, text, who, options)
      await settleKeys(session, named)
      const { files } = session
      const settings = changeOptions(session, options)
      if (isFolderPath(place)) {
        const work = (folder: FolderOptions) => files.shareAll(place.path, named, { ...settings, ...folder })
        const result = await runFolder(context, { label: 'share', done: 'shared', work })
        return tellFolder(context, place, result)
      }
      const done = await files.share(place.path, named, settings)
      await tellFile(context, session, place, done === null ? null : 'shared')
    },
  )
}

export function unshareCommand(context: CliContext): Command {
  const command = defineCommand('unshare', {
    summary: 'Take a sealed file away from recipients',
    details:
      'The file is sealed anew under a new key for those who are left. What was read before cannot be unread: whoever could open the file may have kept it, or its key. From now on they open nothing that is written there. Interrupted at any point, each file is in its old state or the new one; run again, it goes on. A right to write is something else: revoke it.',
    usesHub: true,
    examples: [
      ['mandate unshare plans/2027.pdf bob', 'one file'],
      ['mandate unshare -r plans/ did:key:z6Mk…', 'a folder, with progress'],
    ],
  })
    .argument('<path>', 'sealed file, or folder: [owner:]path')
    .argument('<who...>', whoText)
    .option('-r, --recursive', 'every sealed file below a path that ends in a slash')
    .option('--keep-history', 'keep the versions that are replaced; they open for those who could open them')
  return addSealerOptions(addKeyOptions(command)).action(
    async (text: string, who: string[], options: ShareOptions) => {
      const { place, session, named } = await begin(context, text, who, options)
      const { files } = session
      const settings = changeOptions(session, options)
      if (isFolderPath(place)) {
        const work = (folder: FolderOptions) =>
          files.unshareAll(place.path, named, { ...settings, ...folder })
        const result = await runFolder(context, { label: 'unshare', done: 'unshared', work })
        tellFolder(context, place, result)
        if (result.changed > 0) context.out.note(unreadText)
        if (result.changed + result.unchanged === 0) return
        return context.out.note(
          'From now on they open nothing of what is sealed there, but by a group: its members, and who has a former key of it, are told by "mandate recipients" and "mandate group members".',
        )
      }
      const done = await files.unshare(place.path, named, settings)
      const left = await tellFile(context, session, place, done === null ? null : 'unshared')
      await noteUnread(context, session, { path: place.path, isDone: done !== null, left })
    },
  )
}

export function recipientsCommand(context: CliContext): Command {
  const command = defineCommand('recipients', {
    summary: 'Tell who can open a sealed file',
    details: 'Only those who can open it themselves learn that.',
    usesHub: true,
    examples: [['mandate recipients plans/2027.pdf', 'names of keys on this machine, DIDs, groups']],
  }).argument('<path>', 'sealed file: [owner:]path')
  return addSealerOptions(command).action(async (text: string, options: TrustOptions) => {
    const place = await readRemotePath(context, text)
    if (isFolderPath(place)) throw new CliError('usage', `${text} is a folder`)
    const session = await openSealed(context, options, place.address)
    await tellRecipients(context, await session.files.recipients(place.path, session.open))
  })
}

export async function tellRecipients(context: CliContext, recipients: readonly Recipient[]): Promise<void> {
  const nameOf = await nameRecipients(context)
  for (const recipient of recipients) context.out.result(recipient, printable(nameOf(recipient)))
}

interface Begun {
  readonly place: RemotePath
  readonly session: SealedSession
  readonly named: readonly SealFor[]
}

async function begin(
  context: CliContext,
  text: string,
  who: readonly string[],
  options: ShareOptions,
): Promise<Begun> {
  const place = await readRemotePath(context, text)
  if (isFolderPath(place) && options.recursive !== true) {
    throw new CliError('usage', `${text} is a folder`, { hint: 'For every sealed file below it, add -r.' })
  }
  const session = await openSealed(context, options, place.address)
  return { place, session, named: await readRecipients(context, session.identity, who) }
}

function changeOptions(
  { open }: SealedSession,
  { keepHistory = false }: ShareOptions,
): ChangeOptions & FolderChangeOptions {
  return { ...open, keepHistory, onProgress: () => undefined }
}

/** @returns who can open it now; `null` where that is not told */
async function tellFile(
  context: CliContext,
  { files, open }: SealedSession,
  { path, text }: RemotePath,
  done: 'shared' | 'unshared' | null,
): Promise<readonly Recipient[] | null> {
  const outcome = done === null ? 'unchanged' : 'changed'
  const line = done === null ? `${printable(text)} was so already` : `${done} ${printable(text)}`
  const recipients = await files.recipients(path, open).catch(unlessRemoved)
  context.out.result({ path, outcome, ...(recipients === null ? {} : { recipients }) }, line)
  if (recipients === null) return null
  await noteRecipients(context, recipients)
  return recipients
}

export async function noteRecipients(context: CliContext, recipients: readonly Recipient[]): Promise<void> {
  const nameOf = await nameRecipients(context)
  context.out.note(`Who can open it now: ${recipients.map((one) => printable(nameOf(one))).join(', ')}`)
}

/** Who has taken a file away from oneself is told no more of it. */
function unlessRemoved(error: unknown): null {
  if (error instanceof SealError && error.code === 'not-a-recipient') return null
  throw error
}

function tellFolder({ out }: CliContext, { text }: RemotePath, result: FolderResult): void {
  const { changed, unchanged, closed } = result
  if (changed + unchanged + closed === 0) out.warn(`there is no sealed file below ${text}`)
  else out.note(`${changed} changed, ${unchanged} needed no change`)
  if (closed === 0) return
  const what = closed === 1 ? 'one file is' : `${closed} files are`
  out.warn(`${what} sealed for others: who can open that is not known here, and was not changed`)
}

const unreadText = 'What they have read before cannot be unread: they may have kept it.'

/** Says what is true of those who were to be removed, and no more. */
async function noteUnread(
  context: CliContext,
  { connection }: SealedSession,
  { path, isDone, left }: { path: string; isDone: boolean; left: readonly Recipient[] | null },
): Promise<void> {
  const { out } = context
  const groups = [...new Set(left?.flatMap(({ group }) => group ?? []))]
  const isGroup = (await readGroups(context)).includes(gaiaResource(connection.address, path))
  const isOver = isDone && left !== null && groups.length === 0 && !isGroup
  if (isDone) out.note(`${unreadText}${isOver ? ' From now on they open nothing of it.' : ''}`)
  for (const group of groups) {
    out.note(`Whoever is a member of ${printable(group)} opens it still: mandate group remove, then refresh`)
  }
  if (isDone && isGroup)
    out.note('To seal anew what the former key of the group opens: mandate group refresh')
}
