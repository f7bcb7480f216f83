import type { Command } from 'commander'
import { isCid } from '../../delegation/cid.ts'
import { depositGrant } from '../../grants/grant.ts'
import { type ListedGrant, listGrants } from '../../grants/list-grants.ts'
import { revokeDelegation } from '../../grants/revoke.ts'
import { revokeAllTokens } from '../../grants/revoke-all.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { findIssued } from '../delegations/issued.ts'
import { readDelegation } from '../delegations/read-delegation.ts'
import { capabilityText, expiryText, nameDids } from '../delegations/words.ts'
import { readPrincipal, readRemotePath } from '../remote-path.ts'
import { openConnection } from '../session.ts'
import { confirm } from '../terminal/ask.ts'
import { printable } from '../terminal/style.ts'
import { formatTime } from '../terminal/units.ts'

interface BucketOptions extends HubOptions {
  owner?: string
}

export function grantCommand(context: CliContext): Command {
  return defineCommand('grant', {
    summary: 'Deposit a delegation at the hub',
    details:
      'Whoever it is made out to then writes with a credential of its own, with any Gaia client too. To make and deposit one in a step: mandate delegate --deposit.',
    usesHub: true,
    examples: [['mandate grant photos.delegation', 'one that was made before']],
  })
    .argument('[delegation]', 'file, text or URL (default: standard input)')
    .action(async (given: string | undefined, options: HubOptions) => {
      const delegation = await readDelegation(context, given)
      const connection = await openConnection(context, options, delegation.addresses[0] ?? null)
      const grant = await depositGrant(connection.transport, delegation, { signal: context.signal })
      context.out.result(grant, `deposited ${grant.cid}`)
    })
}

export function grantsCommand(context: CliContext): Command {
  return defineCommand('grants', {
    summary: 'List the grants at the hub',
    details: 'The owner sees all; others see those made out to them, and those that they may deposit.',
    usesHub: true,
    examples: [
      ['mandate grants', 'who may do what with your files'],
      ['mandate grants --to bob', 'those to one key'],
      ['mandate grants --owner alice --as bob', "what Bob may do with Alice's files"],
    ],
  })
    .option('--to <who>', 'only those to this DID, address or key on this machine')
    .option('--owner <who>', 'whose files: an address or a key on this machine (default: your own)')
    .action(async (options: BucketOptions & { to?: string }) => {
      const connection = await openConnection(context, options, await ownerOf(context, options))
      const nameOf = await nameDids(context)
      const filter = options.to === undefined ? {} : { audience: await readPrincipal(context, options.to) }
      let count = 0
      for await (const grant of listGrants(connection.transport, { ...filter, signal: context.signal })) {
        count += 1
        context.out.result(grant, grantLines(context, grant, nameOf))
      }
      if (count === 0) context.out.note('No grants.')
    })
}

function grantLines({ out, now }: CliContext, grant: ListedGrant, nameOf: (did: string) => string): string[] {
  const { cid, issuer, audience, capabilities, expiration, revoked } = grant
  return [
    `${out.paint('bold', cid)}${revoked ? out.paint('red', '  revoked') : ''}`,
    `  from   ${nameOf(issuer)}`,
    `  to     ${nameOf(audience)}`,
    ...capabilities.map((one, i) => `  ${i === 0 ? 'may  ' : '     '}  ${printable(capabilityText(one))}`),
    `  valid  ${expiryText(expiration, now())}`,
  ]
}

export function revokeCommand(context: CliContext): Command {
  return defineCommand('revoke', {
    summary: 'End a delegation, and all that rests on it, for good',
    details:
      'The owner may, and whoever handed it on. One that was signed on this machine, or deposited, is named by its CID; any other is given as it is. What was written by it stays.',
    usesHub: true,
    examples: [
      ['mandate revoke bafkrei…', 'one that was deposited, or signed on this machine'],
      ['mandate revoke photos.delegation', 'any'],
    ],
  })
    .argument('<delegation>', 'CID, file, text or URL; - for standard input')
    .option(
      '--owner <who>',
      'whose files, with a CID: an address or a key on this machine (default: your own)',
    )
    .action(async (given: string, options: BucketOptions) => {
      const which = isCid(given)
        ? ((await findIssued(context, given)) ?? given)
        : await readDelegation(context, given)
      const address =
        typeof which === 'string' ? await ownerOf(context, options) : (which.addresses[0] ?? null)
      const connection = await openConnection(context, options, address)
      const cid = await revokeDelegation(connection.transport, which, { signal: context.signal }).catch(
        (error: unknown) => {
          throw explainRevoke(error, given)
        },
      )
      context.out.result({ cid, revoked: true }, `revoked ${cid}`)
      const { revocationMaxAgeSeconds: seconds } = connection.hub
      if (seconds !== null && seconds > 0) {
        context.out.note(
          `It holds at this hub at once, and within ${seconds} s at others over the same storage.`,
        )
      }
    })
}

function explainRevoke(error: unknown, given: string): unknown {
  const { code } = error as { code?: unknown }
  if (code !== 'not-found' || !isCid(given)) return error
  return new CliError('not-found', `no grant ${given} is deposited there`, {
    cause: error,
    hint: 'Give the delegation itself, as a file or a text: it need not have been deposited.',
  })
}

export function revokeAllCommand(context: CliContext): Command {
  return defineCommand('revoke-all', {
    summary: 'End every token and delegation that you have signed so far',
    details:
      'For a token or a delegation that leaked, or when it is not known who has what. What is signed from then on is valid.',
    usesHub: true,
    examples: [['mandate revoke-all', 'asks first']],
  })
    .option('-y, --yes', 'do not ask')
    .action(async ({ yes = false, ...options }: HubOptions & { yes?: boolean }) => {
      const connection = await openConnection(context, options, null)
      const question = `End every token and delegation of ${connection.address} that was signed so far?`
      await confirm(context, question, yes)
      const oldest = await revokeAllTokens(connection.transport, { signal: context.signal })
      context.out.result(
        { address: connection.address, oldestValidTimestamp: oldest },
        `everything that ${connection.address} signed before ${formatTime(oldest)} UTC is void`,
      )
    })
}

async function ownerOf(context: CliContext, { owner }: BucketOptions): Promise<string | null> {
  return owner === undefined ? null : (await readRemotePath(context, `${owner}:`)).address
}
