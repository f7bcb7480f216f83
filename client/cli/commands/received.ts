import type { Command } from 'commander'
import type { Delegation } from '../../delegation/delegation.ts'
import { namesKey } from '../../did.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { listIssued } from '../delegations/issued.ts'
import { readDelegation } from '../delegations/read-delegation.ts'
import { changeWallet, readWallet } from '../delegations/wallet-file.ts'
import { capabilityText, expiryText, nameDids } from '../delegations/words.ts'
import { printable } from '../terminal/style.ts'

export function receiveCommand(context: CliContext): Command {
  return defineCommand('receive', {
    summary: 'Keep a delegation that somebody gave you',
    details:
      'It is looked at, and kept where nothing is wrong with it. From then on put, ls, rm and sync use it by themselves for the files that it is about.',
    examples: [
      ['mandate receive photos.delegation', 'a file'],
      ['mandate receive < mail.txt', 'standard input'],
      ["mandate receive 'https://notes.example/inbox#mandate=eyJ…'", 'a text or a URL'],
    ],
  })
    .argument('[delegation]', 'file, text or URL (default: standard input)')
    .action(async (given: string | undefined) => {
      const delegation = await readDelegation(context, given)
      await changeWallet(context, (wallet) => wallet.add(delegation))
      await tell(context, delegation)
      const keys = await context.keys.list()
      if (!keys.some(({ did }) => namesKey(delegation.audience, did))) {
        context.out.warn(`it is made out to ${delegation.audience}, which is no key on this machine`)
      }
    })
}

export function delegationsCommand(context: CliContext): Command {
  return defineCommand('delegations', {
    summary: 'List the delegations received, or those signed here',
    details: 'Those that have expired are left out. Whether one was revoked, only the hub knows: see grants.',
    examples: [
      ['mandate delegations', 'what you may do at others'],
      [
        'mandate delegations --issued',
        'what others may do at yours, as far as it was signed on this machine',
      ],
    ],
  })
    .option('--issued', 'those that were signed on this machine')
    .action(async ({ issued = false }: { issued?: boolean }) => {
      const delegations = issued ? await listIssued(context) : await (await readWallet(context)).list()
      for (const delegation of delegations) await tell(context, delegation)
      if (delegations.length === 0)
        context.out.note(issued ? 'No delegations signed here.' : 'No delegations received.')
    })
}

export function forgetCommand(context: CliContext): Command {
  return defineCommand('forget', {
    summary: 'Forget a delegation received',
    details: 'It stays valid for whoever else has it; only its issuers and the owner can revoke it.',
    examples: [['mandate forget bafkrei…', 'by its CID; see delegations']],
  })
    .argument('<cid>', 'of the delegation')
    .action(async (cid: string) => {
      const wasThere = await changeWallet(context, (wallet) => wallet.remove(cid))
      if (!wasThere) throw new CliError('not-found', `no delegation ${cid} was received`)
      context.out.result({ cid, forgotten: true }, `forgot ${cid}`)
    })
}

async function tell(context: CliContext, delegation: Delegation): Promise<void> {
  const nameOf = await nameDids(context)
  const { cid, issuer, audience, capabilities, expiration } = delegation
  context.out.result({ cid, issuer, audience, capabilities, expiration }, [
    context.out.paint('bold', cid),
    `  from   ${nameOf(issuer)}`,
    `  to     ${nameOf(audience)}`,
    ...capabilities.map((one, i) => `  ${i === 0 ? 'may  ' : '     '}  ${printable(capabilityText(one))}`),
    `  valid  ${expiryText(expiration, context.now())}`,
  ])
}
