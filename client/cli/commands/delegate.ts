import { type Command, InvalidArgumentError, Option } from 'commander'
import { renderUnicodeCompact } from 'uqr'
import { abilityNamed } from '../../delegation/delegate.ts'
import { type Delegation, delegate } from '../../delegation/delegation.ts'
import { DelegationError } from '../../delegation/errors.ts'
import { controls } from '../../did.ts'
import { depositGrant } from '../../grants/grant.ts'
import type { Caveats } from '../../sign-ucan.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { keepIssued } from '../delegations/issued.ts'
import { readDelegation } from '../delegations/read-delegation.ts'
import { readWallet } from '../delegations/wallet-file.ts'
import { capabilityText, expiryText } from '../delegations/words.ts'
import { readPrincipal, readRemotePath } from '../remote-path.ts'
import { type Identity, identityOf, openConnection } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { parseBytes } from '../terminal/units.ts'

interface DelegateCommandOptions extends HubOptions {
  to: string
  can: string[]
  expires?: string
  starts?: string
  maxSize?: number
  contentType?: string[]
  createOnly?: boolean
  via?: string
  deposit?: boolean
  url?: string | true
  qr?: boolean
}

export function delegateCommand(context: CliContext): Command {
  return defineCommand('delegate', {
    summary: 'Let another key do a part of what you may',
    details:
      'Prints a signed delegation, which is of use only to the key that it is made out to; send it by any way you like. A copy is kept, so that it can be revoked. Nothing is sent to the hub, unless --deposit is given: then the other needs nothing from you, and may use any Gaia client.',
    usesHub: true,
    examples: [
      [
        'mandate delegate photos/ --to bob --can store --expires 30d > photos.delegation',
        'a folder for 30 days',
      ],
      [
        'mandate delegate inbox/ --to did:key:zQ3… --can store --create-only --max-size 1MiB',
        'new small files only',
      ],
      ['mandate delegate photos/2026/ --to 1Carol… --deposit', 'to an address, deposited at the hub'],
      ['mandate delegate alice:photos/2026/ --as bob --to carol', 'hands on less of what was received'],
    ],
  })
    .argument('<paths...>', 'what it is about: [owner:]path; a folder ends in a slash')
    .requiredOption('--to <who>', 'a DID, an address, or a key on this machine')
    .addOption(
      new Option('--can <abilities>', 'store, archive, delete, list, grant, all; comma-separated')
        .argParser(list)
        .default(['store'], 'store'),
    )
    .option(
      '--expires <when>',
      'a length of time (12h, 30d, 2w) or a date (2026-12-31) (default: 30d, or when what it rests on ends)',
    )
    .option('--starts <when>', 'when it begins (default: at once)')
    .option('--max-size <bytes>', 'largest file, as 500k or 1MiB', readSize)
    .option('--content-type <types>', 'media types of files, as image/*; comma-separated', list)
    .option('--create-only', 'new files only')
    .option('--via <delegation>', 'what it rests on: a file or a text (default: what fits of those received)')
    .option('--deposit', 'deposit it at the hub, too')
    .option('--url [page]', 'print a URL: mandate:…, or a page that takes it')
    .option('--qr', 'draw a QR code on standard error, too')
    .action(async (texts: string[], options: DelegateCommandOptions) => {
      const identity = await identityOf(context, options)
      const delegation = await issue(context, identity, texts, options)
      await keepIssued(context, delegation)
      const isDeposited = options.deposit === true ? await deposit(context, options, delegation) : false
      tell(context, delegation, isDeposited, options)
    })
}

async function issue(
  context: CliContext,
  identity: Identity,
  texts: readonly string[],
  options: DelegateCommandOptions,
): Promise<Delegation> {
  const { address, paths } = await readPlaces(context, identity, texts)
  const can = options.can.map((ability) => (ability === 'all' ? 'gaia/*' : ability))
  const via = await viaOf(context, identity, { address, paths, can, given: options.via })
  return delegate(identity.signer, {
    to: await readPrincipal(context, options.to),
    address,
    path: paths,
    can,
    caveats: caveatsOf(options),
    now: context.now,
    ...(options.starts === undefined ? {} : { starts: options.starts }),
    ...(via === null ? { expires: options.expires ?? '30d' } : { via }),
    ...(options.expires === undefined ? {} : { expires: options.expires }),
  })
}

/** All paths of one delegation are of one owner here: what is to be said to two is said in two. */
async function readPlaces(context: CliContext, identity: Identity, texts: readonly string[]) {
  const places = await Promise.all(texts.map((text) => readRemotePath(context, text)))
  const [address = identity.address, ...others] = new Set(
    places.map((place) => place.address ?? identity.address),
  )
  if (others.length > 0)
    throw new CliError('usage', 'the paths are of several owners; make a delegation for each')
  return { address, paths: places.map(({ path }) => path) }
}

interface Wanted {
  address: string
  paths: readonly string[]
  can: readonly string[]
  given: string | undefined
}

/** What was received and is handed on; `null` for the owner, who needs nothing. */
async function viaOf(
  context: CliContext,
  { did, name }: Identity,
  { address, paths, can, given }: Wanted,
): Promise<readonly Delegation[] | null> {
  if (given !== undefined) return [await readDelegation(context, given)]
  if (controls(did, address)) return null
  const needs = paths.flatMap((path) => can.map((ability) => ({ ability: abilityNamed(ability), path })))
  const held = await (await readWallet(context)).delegationsFor({ did, address }, needs)
  if (held !== null) return held
  throw new CliError(
    'refused',
    `${name} has received nothing of ${address} that could be handed on like this`,
    {
      hint: 'See: mandate delegations',
    },
  )
}

function caveatsOf({ maxSize, contentType, createOnly }: DelegateCommandOptions): Caveats {
  return {
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(createOnly === true ? { createOnly } : {}),
  }
}

async function deposit(context: CliContext, options: HubOptions, delegation: Delegation): Promise<true> {
  const [address = null] = delegation.addresses
  const connection = await openConnection(context, options, address)
  await depositGrant(connection.transport, delegation, { signal: context.signal })
  return true
}

function tell(
  { out, now }: CliContext,
  delegation: Delegation,
  isDeposited: boolean,
  { url, qr }: DelegateCommandOptions,
): void {
  const text =
    url === undefined ? delegation.toString() : url === true ? delegation.toUrl() : delegation.toUrl(url)
  const { cid, issuer, audience, capabilities, expiration } = delegation
  const view = { cid, issuer, audience, capabilities, expiration, deposited: isDeposited }
  out.result({ ...view, delegation: text }, text)
  out.note(`${audience} may, ${expiryText(expiration, now())}:`)
  for (const capability of capabilities) out.note(`  ${printable(capabilityText(capability))}`)
  out.note(`To end it: mandate revoke ${cid}`)
  if (qr === true) out.stderr.write(`${drawQr(delegation.toUrl())}\n`)
}

/** A QR code holds 2,953 bytes at most (ISO/IEC 18004). */
function drawQr(text: string): string {
  if (text.length > 2_900) {
    throw new DelegationError(
      'too-large',
      'the delegation is too long for a QR code; send it as text or as a URL',
    )
  }
  return renderUnicodeCompact(text, { border: 2 })
}

function list(text: string): string[] {
  const items = text.split(',').map((item) => item.trim())
  if (items.includes('')) throw new InvalidArgumentError('It is a list with commas and nothing empty.')
  return items
}

function readSize(text: string): number {
  const bytes = parseBytes(text)
  if (bytes === null) throw new InvalidArgumentError('It is a size, as 500k or 1MiB.')
  return bytes
}
