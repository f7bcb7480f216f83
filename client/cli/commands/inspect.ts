import type { Command } from 'commander'
import { Delegation } from '../../delegation/delegation.ts'
import { inspect } from '../../delegation/inspect.ts'
import { readJwtPayload } from '../../jwt.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { describeDelegation } from '../delegations/describe-delegation.ts'
import { type V1View, viewV1Token } from '../delegations/describe-v1.ts'
import { readTokenText } from '../delegations/read-delegation.ts'
import { expiryText } from '../delegations/words.ts'
import { printable } from '../terminal/style.ts'
import { formatTime } from '../terminal/units.ts'

export function inspectCommand(context: CliContext): Command {
  return defineCommand('inspect', {
    summary: 'Explain a token or a delegation in words',
    details:
      'Says who lets whom do what, until when, and whether anything is wrong with it; ends with status 5 where something is. Takes delegations, invocations and v1 tokens. Asks no hub.',
    examples: [
      ['mandate inspect photos.delegation', 'a file'],
      ['mandate delegations --json | jq -r .cid', 'the CIDs of what was received'],
      ['pbpaste | mandate inspect', 'standard input'],
    ],
  })
    .argument('[token]', 'file, text or URL (default: standard input)')
    .action(async (given: string | undefined) => {
      const text = await readTokenText(context, given)
      if (isV1(text)) inspectV1(context, text)
      else await inspectDelegation(context, text)
    })
}

function isV1(text: string): boolean {
  const bare = text.trim().replace(/^bearer\s+/i, '')
  return bare.startsWith('v1:') || typeof readJwtPayload(bare)?.gaiaChallenge === 'string'
}

async function inspectDelegation(context: CliContext, text: string): Promise<void> {
  const delegation = Delegation.parse(text.trim().replace(/^(?:bearer\s+)?ucan:/i, ''))
  const inspection = await inspect(delegation, { now: context.now })
  const lines = await describeDelegation(context, delegation, inspection)
  context.out.result({ kind: 'delegation', cid: delegation.cid, ...inspection }, lines)
  const [problem] = inspection.problems
  if (problem !== undefined) throw new CliError('refused', `no hub would take it: ${problem.code}`)
}

function inspectV1(context: CliContext, text: string): void {
  const view = viewV1Token(text, context.now())
  context.out.result(view, v1Lines(context, view))
  if (view.problems.length > 0) throw new CliError('refused', 'no hub would take it')
}

function v1Lines({ out, now }: CliContext, view: V1View): string[] {
  const rows: (readonly [string, string])[] = [
    ['for', view.address ?? 'nobody: it names no key'],
    ['hub', view.hub ?? 'any with the challenge that it signs'],
    ['may', view.scopes === null ? 'do everything at its address, until it ends' : view.scopes.join(', ')],
    ['valid', expiryText(view.expiration, now())],
    [
      'issued',
      view.issuedAt === null
        ? 'not told: it ends with the first revoke-all'
        : `${formatTime(view.issuedAt)} UTC`,
    ],
    ['signature', view.signature],
  ]
  return [
    'v1 token, a credential of Gaia. Whoever has it can use it.',
    ...rows.map(([name, told]) => `  ${name.padEnd(9)}  ${printable(told)}`),
    view.problems.length === 0
      ? `${out.paint('green', 'In order')}, as far as can be known here.`
      : `${out.paint('red', 'Not valid')}: ${view.problems.join('; ')}`,
  ]
}
