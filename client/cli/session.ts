import { hexToBytes } from '@noble/hashes/utils.js'
import { type Connection, connect } from '../connect.ts'
import { NetworkError } from '../errors.ts'
import type { OpeningKey } from '../seal/opening-key.ts'
import type { Signer } from '../signers/signer.ts'
import { generateStacksSigner, stacksSigner } from '../signers/stacks-signer.ts'
import { CliError } from './cli-error.ts'
import { checkHubUrl } from './commands/profile.ts'
import type { CliContext, HubOptions } from './context.ts'
import { readWallet } from './delegations/wallet-file.ts'
import { type KeyKind, plainSigner } from './keys/kinds.ts'
import { openingKeysOf } from './keys/opening.ts'
import { publicKeyOf, readSecret, type Secret } from './keys/secret.ts'
import { type Profile, readSettings, standardHub } from './settings.ts'

/** As whom a command acts. */
export interface Identity {
  /** Name of the key, or of the variable that holds it. */
  readonly name: string
  readonly address: string
  readonly did: string
  readonly signer: Signer
  /** What opens sealed files for it, the youngest first. */
  readonly openingKeys: () => Promise<OpeningKey[]>
}

/** The variable that holds a phrase or hex digits, where keys are not kept on the machine: in CI, for instance. */
export const keyVariable = 'MANDATE_KEY'

/** The key that the options name, else that of `MANDATE_KEY`, else that of the profile. @throws {CliError} `key` */
export async function identityOf(context: CliContext, options: HubOptions): Promise<Identity> {
  const identity = await findIdentity(context, options)
  if (identity !== null) return identity
  throw new CliError('key', 'no key to act as', {
    hint: 'Make one: mandate key new alice. Or name one: --as, or mandate profile set.',
  })
}

/** @returns null where no key is named or set */
export async function findIdentity(context: CliContext, options: HubOptions): Promise<Identity | null> {
  if (options.as !== undefined) return identityNamed(context, options.as)
  const text = context.io.env[keyVariable] ?? ''
  if (text !== '') return identityFrom(keyVariable, ...(await readSecret(text, 'secp256k1')))
  const { key } = await profileOf(context, options)
  return key === undefined ? null : identityNamed(context, key)
}

async function identityNamed(context: CliContext, name: string): Promise<Identity> {
  // Not told again: what was typed here may be a secret.
  if (name.length > 24) {
    throw new CliError(
      'usage',
      '--as takes the name of a key; a key itself never stands on the command line',
      {
        hint: `It is in the shell's history now. Use: mandate key import, or the variable ${keyVariable}.`,
      },
    )
  }
  const key = await context.keys.find(name)
  if (key === null) throw new CliError('key', `no key is named ${name}`, { hint: 'See: mandate key list' })
  return identityFrom(name, key.kind, await context.keys.secretOf(key))
}

function identityFrom(name: string, kind: KeyKind, secret: Secret): Identity {
  const { did, address } = publicKeyOf(kind, secret)
  const { privateKey } = secret
  const signer = kind === 'secp256k1' ? stacksSigner(privateKey) : plainSigner(kind, hexToBytes(privateKey))
  return { name, did, address, signer, openingKeys: () => openingKeysOf(kind, secret) }
}

/** The profile that the options, the environment or the settings name. */
async function profileOf(
  { folder, io }: CliContext,
  { profile: named }: HubOptions,
): Promise<Partial<Profile>> {
  const settings = await readSettings(folder)
  const name = named ?? io.env.MANDATE_PROFILE ?? ''
  if (name === '') return settings.profiles[settings.profile] ?? {}
  const profile = Object.hasOwn(settings.profiles, name) ? settings.profiles[name] : undefined
  if (profile === undefined) {
    throw new CliError('usage', `no profile is named ${name}`, { hint: 'See: mandate profile list' })
  }
  return profile
}

export async function hubUrlOf(context: CliContext, options: HubOptions): Promise<string> {
  const named = options.hub ?? context.io.env.MANDATE_HUB_URL ?? ''
  if (named !== '') return checkHubUrl(named)
  return (await profileOf(context, options)).hub ?? standardHub
}

/**
 * Connects as the key of the options.
 * @param address whose bucket; `null` for the key's own
 */
export async function openConnection(
  context: CliContext,
  options: HubOptions,
  address: string | null,
): Promise<Connection> {
  return connectAs(context, options, await identityOf(context, options), address)
}

/** Connects to read what anybody may read: without a key too, where the address is known. */
export async function openReading(
  context: CliContext,
  options: HubOptions,
  address: string | null,
): Promise<Connection> {
  const identity =
    address === null ? await identityOf(context, options) : await findIdentity(context, options)
  return connectAs(context, options, identity, address)
}

async function connectAs(
  context: CliContext,
  options: HubOptions,
  identity: Identity | null,
  address: string | null,
): Promise<Connection> {
  const { io, now, signal } = context
  const hub = await hubUrlOf(context, options)
  const connecting = connect({
    hub,
    signer: identity?.signer ?? generateStacksSigner(),
    now,
    wallet: await readWallet(context),
    // Trying for a minute is right in the middle of a transfer, not where a name was mistyped or no hub was started.
    failFast: true,
    signal,
    ...(address === null ? {} : { address }),
    ...(io.fetch === undefined ? {} : { fetch: io.fetch }),
  })
  return connecting.catch((error: unknown) => {
    throw error instanceof NetworkError ? noHub(hub, error) : error
  })
}

function noHub(hub: string, cause: NetworkError): CliError {
  return new CliError('network', `no hub answers at ${hub}`, {
    cause,
    hint:
      hub === standardHub
        ? 'Start one with npm start, or name another: --hub, or mandate profile set.'
        : 'Is it running, and is this its address? It can be named by --hub, or by mandate profile set.',
  })
}
