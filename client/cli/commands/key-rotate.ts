import type { Command } from 'commander'
import { fingerprint } from '../../seal/encryption-key.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import type { StoredKey } from '../keys/key-store.ts'
import { newOpeningText, openingKeysOf } from '../keys/opening.ts'
import type { Secret } from '../keys/secret.ts'
import { type RemotePath, readRemotePath } from '../remote-path.ts'
import { openSealed } from '../sealed/open-sealed.ts'
import { runFolder } from '../sealed/run-folder.ts'
import { addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { identityOf } from '../session.ts'

interface RotateOptions extends TrustOptions {
  keepHistory?: boolean
}

export function rotateCommand(context: CliContext): Command {
  const command = defineCommand('rotate', {
    summary: 'Open sealed files with a new key from now on',
    details:
      'Makes a new key, publishes it, and wraps for it what is sealed for the former ones in your own bucket; only envelopes are written. Your address and your DID stay. Interrupted, it goes on when it is run again. With a path, no new key is made: what is sealed for your former keys there is wrapped for the present one. Who has a former key may have kept what it opened; where that matters, seal anew: mandate put --seal-for same.',
    usesHub: true,
    examples: [
      ['mandate key rotate', 'a new key, and your own bucket'],
      ['mandate key rotate alice:team/', 'what is sealed for you at somebody else, where you may write'],
    ],
  })
    .argument('[path]', 'folder: [owner:]path (default: a new key, and your own bucket)')
    .option('--keep-history', 'keep the envelopes that are replaced; they open for the former keys')
  return addSealerOptions(command).action(async (text: string | undefined, options: RotateOptions) => {
    const key = await storedKey(context, options)
    if (text !== undefined) {
      const place = await readRemotePath(context, text)
      return wrapForPresent(context, options, { key, secret: await context.keys.secretOf(key), place })
    }
    // Kept before it is published: whatever stops this, no file is wrapped for a key that nobody has.
    const secret = await context.keys.change(key, (known) => begin(key, known))
    await wrapForPresent(context, options, { key, secret, place: { address: null, path: '' } })
    await context.keys.change(key, async (known) => finish(known, secret))
    context.out.note(`Its backup is another now: mandate key backup ${key.name}`)
  })
}

/** @throws {CliError} for a key that is not kept on this machine: a new one could not be kept either */
async function storedKey(context: CliContext, options: RotateOptions): Promise<StoredKey> {
  const { name, did } = await identityOf(context, options)
  const key = await context.keys.find(name)
  if (key?.did === did) return key
  throw new CliError('key', 'the key that acts is not kept on this machine', {
    hint: 'Take it over first: mandate key import',
  })
}

/** A run that was broken off has made its key already. */
async function begin({ kind }: StoredKey, secret: Secret): Promise<Secret> {
  if (secret.rotating === true) return secret
  return { ...secret, openings: [await newOpeningText(kind), ...(secret.openings ?? [])], rotating: true }
}

function finish(known: Secret, begun: Secret): Secret {
  if (known.openings?.[0] !== begun.openings?.[0]) return known
  const { rotating: _, ...finished } = known
  return finished
}

interface Wrapping {
  readonly key: StoredKey
  readonly secret: Secret
  readonly place: Pick<RemotePath, 'address' | 'path'>
}

async function wrapForPresent(
  context: CliContext,
  options: RotateOptions,
  { key, secret, place }: Wrapping,
): Promise<void> {
  const [present, ...former] = await openingKeysOf(key.kind, secret)
  if (present === undefined || former.length === 0) {
    throw new CliError('usage', `${key.name} has no former key; without a path, a new one is made`)
  }
  const { files, open } = await openSealed(context, options, place.address)
  const { keepHistory = false } = options
  const { changed } = await runFolder(context, {
    label: 'rotate',
    done: 'wrapped',
    work: (run) => files.rotate(former, present, { ...open, ...run, keepHistory, prefix: place.path }),
  })
  const rotated = { key: present.did, fingerprint: await fingerprint(present.did), changed }
  context.out.result(rotated, [
    `${changed === 1 ? 'one file' : `${changed} files`} wrapped for ${present.did}`,
    `fingerprint ${rotated.fingerprint}`,
  ])
}
