import type { Command } from 'commander'
import { addressOfDid, controls } from '../../did.ts'
import { fingerprint, parseEncryptionKey } from '../../seal/encryption-key.ts'
import { SealError } from '../../seal/errors.ts'
import { sealContext } from '../../seal/files/context.ts'
import { fetchStatement, lastPublished, type Pin } from '../../seal/files/resolve.ts'
import type { KeyStatement } from '../../seal/statement.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { openingKeysOf } from '../keys/opening.ts'
import { isAddress } from '../remote-path.ts'
import { FileMemory } from '../sealed/file-memory.ts'
import { openSealed, type SealedSession } from '../sealed/open-sealed.ts'
import { readOwner, readRecipient } from '../sealed/recipients.ts'
import { settleKeys } from '../sealed/storing.ts'
import { addKeyOptions, collect, type TrustOptions } from '../sealed/trust-options.ts'
import { identityOf, openReading } from '../session.ts'
import { alignColumns } from '../terminal/output.ts'

interface PublishOptions extends TrustOptions {
  /** False for none any more. */
  recovery?: string[] | false
}

export function publishCommand(context: CliContext): Command {
  const command = defineCommand('publish', {
    summary: 'Publish the key that others are to seal for, and recovery keys',
    details:
      'An ed25519 or p256 key signs only, so it has a second key that opens; others find it, signed, at your address. A secp256k1 key opens by itself and needs this only for recovery keys, or to be found by its address. Everything that is sealed for you from then on, by whomever, opens for your recovery keys too.',
    usesHub: true,
    examples: [
      ['mandate key publish --as bob', 'what bob opens with'],
      ['mandate key publish --recovery rescue', 'with a recovery key; back it up and keep it elsewhere'],
      ['mandate key publish --no-recovery', 'without one, from now on'],
    ],
  })
    .option(
      '--recovery <who>',
      'recovery keys in the place of those published: keys on this machine, DIDs or addresses; may stand several times',
      collectRecovery,
    )
    .option('--no-recovery', 'no recovery key from now on')
  return addKeyOptions(command).action(async (options: PublishOptions) => {
    const session = await openSealed(context, options, null)
    const [key] = session.seal.keys ?? []
    if (key === undefined) throw new RangeError('every key has one that opens')
    const recovery = await recoveryKeys(context, session, options)
    await session.files.publishKeys({ key, ...(recovery === undefined ? {} : { recovery }) })
    const { did } = session.identity
    const published = await lastPublished(sealContext(session.connection, session.seal))
    await tellKeys(context, { did, key: key.did, recovery: published?.recovery ?? [] })
    if (recovery === undefined || recovery.length === 0) return
    context.out.note(
      `What was sealed before opens for it after: mandate share -r : ${session.identity.name}. To try it: mandate key recover`,
    )
  })
}

function collectRecovery(text: string, before: PublishOptions['recovery']): string[] {
  return collect(text, Array.isArray(before) ? before : [])
}

async function recoveryKeys(
  context: CliContext,
  session: SealedSession,
  { recovery }: PublishOptions,
): Promise<string[] | undefined> {
  if (recovery === undefined) return undefined
  if (recovery === false) return []
  return Promise.all(recovery.map((who) => recoveryKey(context, session, who)))
}

/** A key on this machine opens whether it has published anything or not. */
async function recoveryKey(context: CliContext, session: SealedSession, who: string): Promise<string> {
  const own = await context.keys.find(who)
  if (own !== null) {
    const [present] = await openingKeysOf(own.kind, await context.keys.secretOf(own))
    if (present !== undefined) return present.did
  }
  const named = await readRecipient(context, session.identity, who)
  const [found] = await settleKeys(session, [named])
  if (found === undefined || found.group !== undefined) {
    throw new CliError('usage', 'a recovery key is that of somebody, not of a group')
  }
  return found.key
}

export function fingerprintCommand(context: CliContext): Command {
  return defineCommand('fingerprint', {
    summary: 'Show the fingerprint of the key that opens what is sealed for somebody',
    details:
      'Read it to who seals for you, by another way than the hub, and let them compare. Of others, it shows what they have published.',
    usesHub: true,
    examples: [
      ['mandate key fingerprint', 'your own'],
      ['mandate key fingerprint did:key:z6Mk…', "what somebody's address says"],
    ],
  })
    .argument('[who]', 'a key on this machine, a DID or an address (default: the key that acts)')
    .action(async (who: string | undefined, options: HubOptions) => {
      if (who === undefined || (await context.keys.find(who)) !== null) {
        const { did, openingKeys } = await identityOf(context, who === undefined ? options : { as: who })
        const [key] = await openingKeys()
        const recovery = (await pinned(context, did))?.recovery ?? []
        return tellKeys(context, { did, key: key?.did ?? did, recovery })
      }
      const keys = await publishedBy(context, options, who)
      await tellKeys(context, keys)
      context.out.note(await pinNote(context, keys))
    })
}

type Keys = Pick<KeyStatement, 'did' | 'key' | 'recovery'>

async function publishedBy(context: CliContext, options: HubOptions, who: string): Promise<Keys> {
  const address = await readOwner(context, who)
  const connection = await openReading(context, options, address)
  const statement = await fetchStatement(sealContext(connection), address)
  const did = isAddress(who) ? statement?.did : who
  if (statement !== null && (statement.did !== did || !controls(statement.did, address))) {
    throw new SealError('bad-signature', `the key statement at ${address} is not of the one who owns it`)
  }
  if (statement !== null) return statement
  if (did === undefined || addressOfDid(did).startsWith('z')) {
    throw new SealError('no-encryption-key', `${who} has published no key to seal files for`)
  }
  return { did, key: parseEncryptionKey(did).did, recovery: [] }
}

/** What this machine has published for one of its keys, or has used of somebody else. */
async function pinned({ folder }: CliContext, did: string): Promise<Pin | null> {
  const text = await new FileMemory(folder).get(`pin:${did}`)
  return text === null ? null : (JSON.parse(text) as Pin)
}

async function pinNote(context: CliContext, { did, key }: Keys): Promise<string> {
  const pin = await pinned(context, did)
  if (pin === null) return 'It was not used on this machine before.'
  return pin.key === key
    ? 'It is the one that was used on this machine before.'
    : 'It is ANOTHER than the one that was used on this machine before.'
}

async function tellKeys(context: CliContext, { did, key, recovery }: Keys): Promise<void> {
  const [own = '', ...others] = await Promise.all([key, ...recovery].map(fingerprint))
  const rows = [['did', did], ['key', key], ['fingerprint', own], ...others.map((one) => ['recovery', one])]
  context.out.result(
    {
      did,
      key,
      fingerprint: own,
      recovery: recovery.map((one, i) => ({ key: one, fingerprint: others[i] })),
    },
    alignColumns(rows),
  )
}
