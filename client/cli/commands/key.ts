import { type Command, Option } from 'commander'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand, defineGroup } from '../define-command.ts'
import { writePrivateFile } from '../files/private-file.ts'
import { isDerivationPath, standardPath } from '../keys/derive.ts'
import type { SecretPlace, StoredKey } from '../keys/key-store.ts'
import { type KeyKind, keyKinds } from '../keys/kinds.ts'
import { maxSecretBytes, newSecret, readSecret, type Secret, writeSecret } from '../keys/secret.ts'
import { readSettings, standardHub, writeSettings } from '../settings.ts'
import { askSecret, confirm } from '../terminal/ask.ts'
import { alignColumns } from '../terminal/output.ts'
import { readText } from '../terminal/read-input.ts'
import { fingerprintCommand, publishCommand } from './key-publish.ts'
import { recoverCommand } from './key-recover.ts'
import { rotateCommand } from './key-rotate.ts'

export function keyCommand(context: CliContext): Command {
  return defineGroup('key', 'Make and keep keys', [
    newCommand(context),
    showCommand(context),
    listCommand(context),
    importCommand(context),
    backupCommand(context),
    removeCommand(context),
    fingerprintCommand(context),
    publishCommand(context),
    rotateCommand(context),
    recoverCommand(context),
  ])
}

interface MakeOptions {
  type: KeyKind
  store: SecretPlace
}

function newCommand(context: CliContext): Command {
  const command = defineCommand('new', {
    summary: 'Make a key',
    details:
      'The key comes from a phrase of English words (BIP-39), which "mandate key backup" shows. The first key becomes that of the profile.',
    examples: [
      ['mandate key new alice', 'a secp256k1 key, as Stacks wallets have'],
      ['mandate key new laptop --type ed25519 --store keyring', "kept in the system's keyring"],
    ],
  })
  return addMakeOptions(command.argument('<name>', 'what to call it'))
    .addOption(new Option('--words <count>', 'length of the phrase').choices(['12', '24']).default('24'))
    .action(async (name: string, options: MakeOptions & { words: string }) => {
      const secret = await newSecret(options.type, options.words === '12' ? 12 : 24)
      const key = await addKey(context, name, options.type, secret, options.store)
      tellKey(context, key)
      context.out.note(`Write its phrase down before you need it: mandate key backup ${key.name}`)
    })
}

function importCommand(context: CliContext): Command {
  const command = defineCommand('import', {
    summary: 'Take over a key from its phrase or its hex digits',
    details:
      'The secret is read from a file, from a pipe, or asked for; it never stands on the command line, where other users and the history of the shell would see it.',
    examples: [
      ['mandate key import alice', 'asks for the phrase'],
      ['mandate key import alice --from phrase.txt', 'reads a file'],
      ['pass show wallet | mandate key import alice --from -', 'reads standard input'],
    ],
  })
  return addMakeOptions(command.argument('<name>', 'what to call it'))
    .option('--from <file>', 'file with the phrase or the hex digits; - for standard input')
    .option('--path <path>', 'derivation path of a phrase', standardPath)
    .action(async (name: string, options: MakeOptions & { from?: string; path: string }) => {
      if (!isDerivationPath(options.type, options.path)) {
        throw new CliError(
          'usage',
          `the derivation path of a ${options.type} key is written like ${standardPath}`,
        )
      }
      const text = await secretText(context, options.from)
      const [kind, secret] = await readSecret(text, options.type, options.path)
      tellKey(context, await addKey(context, name, kind, secret, options.store))
    })
}

function secretText(context: CliContext, from: string | undefined): Promise<string> {
  if (from !== undefined) return readText(context, from, maxSecretBytes)
  if (context.io.stdin.isTTY === true) return askSecret(context, 'Phrase or hex digits (not shown): ')
  return readText(context, '-', maxSecretBytes)
}

function addMakeOptions(command: Command): Command {
  return command
    .addOption(new Option('--type <kind>', 'kind of key').choices(keyKinds).default('secp256k1'))
    .addOption(
      new Option(
        '--store <place>',
        "where the secret is kept: a file that only you can read, or the system's keyring",
      )
        .choices(['file', 'keyring'])
        .default('file'),
    )
}

function showCommand(context: CliContext): Command {
  return defineCommand('show', {
    summary: 'Show the address and the DID of a key',
    details: 'Both may be given to anybody. Others delegate to the DID; files are stored at the address.',
    examples: [
      ['mandate key show', 'the key of the profile'],
      ['mandate key show bob --json', 'for scripts'],
    ],
  })
    .argument('[name]', 'which one (default: that of the profile)')
    .action(async (name: string | undefined) => tellKey(context, await keyNamed(context, name)))
}

function listCommand(context: CliContext): Command {
  return defineCommand('list', {
    summary: 'List the keys',
    examples: [['mandate key list', 'names, kinds and addresses']],
  }).action(async () => {
    const keys = await context.keys.list()
    const rows = alignColumns(keys.map(({ name, kind, address, place }) => [name, kind, address, place]))
    for (const [i, key] of keys.entries()) context.out.result(publicView(key), rows[i] ?? '')
    if (keys.length === 0) context.out.note('No keys yet. Make one: mandate key new alice')
  })
}

function backupCommand(context: CliContext): Command {
  return defineCommand('backup', {
    summary: 'Show the phrase of a key, to write it down',
    details:
      'Whoever has it is you. A key that was imported as hex digits has no phrase; its digits are shown. It opens your sealed files, too: keys that "mandate key rotate" has made stand below it, a line each. "mandate key import" takes it back, "mandate key recover" tries it.',
    examples: [
      ['mandate key backup alice', 'on the screen'],
      ['mandate key backup alice --out alice.txt', 'into a new file that only you can read'],
    ],
  })
    .argument('[name]', 'which one (default: that of the profile)')
    .option('--out <file>', 'write to this file instead; it must not exist')
    .action(async (name: string | undefined, { out: file }: { out?: string }) => {
      const key = await keyNamed(context, name)
      const secret = await context.keys.secretOf(key)
      const text = writeSecret(key.kind, secret)
      if (file !== undefined) await writeNew(context, file, text)
      const view = { name: key.name, kind: key.kind, path: secret.path ?? null }
      if (file !== undefined) context.out.result({ ...view, file }, `wrote ${file}`)
      else context.out.result({ ...view, secret: text }, text)
      context.out.note(backupNote(key, secret))
    })
}

function backupNote(key: StoredKey, { path }: Secret): string {
  const options = path === undefined || path === standardPath ? '' : ` --path "${path}"`
  return `Whoever has this is ${key.address}. To take it back: mandate key import ${key.name}${options}`
}

async function writeNew(context: CliContext, file: string, text: string): Promise<void> {
  const isNew = await writePrivateFile(context.pathOf(file), `${text}\n`, 'create')
  if (!isNew) throw new CliError('conflict', `${file} exists already; a backup overwrites nothing`)
}

function removeCommand(context: CliContext): Command {
  return defineCommand('rm', {
    summary: 'Remove a key from this machine',
    details: 'What it owns can then be written only by who has its backup.',
    examples: [['mandate key rm bob', 'asks first']],
  })
    .argument('<name>', 'which one')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, { yes = false }: { yes?: boolean }) => {
      const key = await keyNamed(context, name)
      await confirm(context, `Remove the key ${key.name}? Without a backup, ${key.address} is lost.`, yes)
      await context.keys.remove(key)
      context.out.result({ name: key.name, removed: true }, `removed ${key.name}`)
    })
}

/** @throws {CliError} `key` where there is none of that name */
async function keyNamed(context: CliContext, name: string | undefined): Promise<StoredKey> {
  const { profile, profiles } = await readSettings(context.folder)
  const wanted = name ?? profiles[profile]?.key
  if (wanted === undefined) {
    throw new CliError('key', 'no key yet', { hint: 'Make one: mandate key new alice' })
  }
  const key = await context.keys.find(wanted)
  if (key === null) throw new CliError('key', `no key is named ${wanted}`, { hint: 'See: mandate key list' })
  return key
}

/** Stores a key. The first one becomes that of the profile in use. */
async function addKey(
  context: CliContext,
  name: string,
  kind: KeyKind,
  secret: Secret,
  place: SecretPlace,
): Promise<StoredKey> {
  const key = await context.keys.add(name, kind, secret, place)
  const settings = await readSettings(context.folder)
  const profile = settings.profiles[settings.profile] ?? { hub: standardHub }
  if (profile.key === undefined) {
    const profiles = { ...settings.profiles, [settings.profile]: { ...profile, key: key.name } }
    await writeSettings(context.folder, { ...settings, profiles })
  }
  return key
}

function tellKey(context: CliContext, key: StoredKey): void {
  const { name, kind, address, did, place } = key
  const rows = [
    ['key', `${name} (${kind}, in ${place === 'file' ? 'a file' : "the system's keyring"})`],
    ['address', address],
    ['did', did],
  ]
  context.out.result(publicView(key), alignColumns(rows))
}

function publicView({ name, kind, address, did, place }: StoredKey): object {
  return { name, kind, address, did, place }
}
