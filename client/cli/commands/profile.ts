import type { Command } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand, defineGroup } from '../define-command.ts'
import { type Profile, readSettings, standardHub, writeSettings } from '../settings.ts'
import { alignColumns } from '../terminal/output.ts'

export function profileCommand(context: CliContext): Command {
  return defineGroup('profile', 'Keep several hubs and keys apart by name', [
    setCommand(context),
    useCommand(context),
    listCommand(context),
    removeCommand(context),
  ])
}

function setCommand(context: CliContext): Command {
  return defineCommand('set', {
    summary: 'Make a profile, or change one',
    details: 'The first profile becomes the one in use.',
    examples: [
      [
        'mandate profile set work --hub https://hub.example.com --key alice',
        'a hub, and the key to use there',
      ],
      ['mandate profile set default --key bob', 'another key for the hub that it has'],
    ],
  })
    .argument('<name>', 'of the profile')
    .option('--hub <url>', "the hub's URL")
    .option('--key <name>', 'name of the key to use')
    .action(async (name: string, { hub, key }: { hub?: string; key?: string }) => {
      checkName(name)
      const settings = await readSettings(context.folder)
      const before = settings.profiles[name]
      if (key !== undefined && (await context.keys.find(key)) === null) {
        throw new CliError('key', `no key is named ${key}`, { hint: 'See: mandate key list' })
      }
      const chosenKey = key ?? before?.key
      const profile: Profile = {
        hub: hub === undefined ? (before?.hub ?? standardHub) : checkHubUrl(hub),
        ...(chosenKey === undefined ? {} : { key: chosenKey }),
      }
      const isFirst = settings.profiles[settings.profile] === undefined
      const profiles = { ...settings.profiles, [name]: profile }
      await writeSettings(context.folder, { profile: isFirst ? name : settings.profile, profiles })
      tellProfile(context, name, profile)
    })
}

function useCommand(context: CliContext): Command {
  return defineCommand('use', {
    summary: 'Choose the profile that is used from now on',
    examples: [['mandate profile use work', 'until another is chosen']],
  })
    .argument('<name>', 'of the profile')
    .action(async (name: string) => {
      const settings = await readSettings(context.folder)
      const profile = existing(settings.profiles, name)
      await writeSettings(context.folder, { ...settings, profile: name })
      tellProfile(context, name, profile)
    })
}

function listCommand(context: CliContext): Command {
  return defineCommand('list', {
    summary: 'List the profiles',
    examples: [['mandate profile list', 'the one in use is marked']],
  }).action(async () => {
    const settings = await readSettings(context.folder)
    const entries = Object.entries(settings.profiles).sort(([a], [b]) => (a < b ? -1 : 1))
    const isUsed = (name: string) => name === settings.profile
    const rows = alignColumns(
      entries.map(([name, { hub, key }]) => [isUsed(name) ? '*' : ' ', name, hub, key ?? '-']),
    )
    for (const [i, [name, profile]] of entries.entries()) {
      context.out.result({ name, ...view(profile), inUse: isUsed(name) }, rows[i] ?? '')
    }
    if (entries.length === 0) context.out.note(`No profiles yet; ${standardHub} is used.`)
  })
}

function removeCommand(context: CliContext): Command {
  return defineCommand('rm', {
    summary: 'Remove a profile; its key stays',
    examples: [['mandate profile rm work', 'the name may be given to another']],
  })
    .argument('<name>', 'of the profile')
    .action(async (name: string) => {
      const settings = await readSettings(context.folder)
      existing(settings.profiles, name)
      const { [name]: _removed, ...profiles } = settings.profiles
      await writeSettings(context.folder, { ...settings, profiles })
      context.out.result({ name, removed: true }, `removed ${name}`)
    })
}

function tellProfile({ out }: CliContext, name: string, profile: Profile): void {
  const rows = [
    ['profile', name],
    ['hub', profile.hub],
    ['key', profile.key ?? 'none'],
  ]
  out.result({ name, ...view(profile) }, alignColumns(rows))
}

function view({ hub, key }: Profile): { hub: string; key: string | null } {
  return { hub, key: key ?? null }
}

/** @throws {CliError} */
function existing(profiles: Readonly<Record<string, Profile>>, name: string): Profile {
  const profile = Object.hasOwn(profiles, name) ? profiles[name] : undefined
  if (profile === undefined) {
    throw new CliError('usage', `no profile is named ${name}`, { hint: 'See: mandate profile list' })
  }
  return profile
}

function checkName(name: string): void {
  // A name must not be one of JavaScript's own, such as __proto__.
  if (!/^[a-z][a-z0-9._-]{0,31}$/i.test(name) || name in {}) {
    throw new CliError(
      'usage',
      'the name of a profile begins with a letter and has at most 32 letters, digits and . _ -',
    )
  }
}

/** @throws {CliError} */
export function checkHubUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.search !== '' ||
    url.hash !== ''
  ) {
    throw new CliError('usage', 'a hub is named by its URL, like https://hub.example.com')
  }
  return url.href.replace(/\/+$/, '')
}
