import type { Delegation } from '../../delegation/delegation.ts'
import type { InspectedLink, Inspection, Problem } from '../../delegation/inspect.ts'
import type { CliContext } from '../context.ts'
import { printable } from '../terminal/style.ts'
import { formatTime } from '../terminal/units.ts'
import { capabilityText, expiryText, nameDids } from './words.ts'

/** A chain in words: what each link says, and what is wrong. */
export async function describeDelegation(
  context: CliContext,
  delegation: Delegation,
  { links, problems, valid }: Inspection,
): Promise<string[]> {
  const nameOf = await nameDids(context)
  const kind = delegation.audience.startsWith('did:web:') ? 'Invocation: a request to a hub' : 'Delegation'
  return [
    `${kind}, ${links.length === 1 ? 'signed by the one who has it to give' : `a chain of ${links.length} links`}`,
    ...links.flatMap((link) => ['', ...linkLines(context, link, nameOf)]),
    '',
    ...verdictLines(context, valid, problems),
  ]
}

function linkLines({ out, now }: CliContext, link: InspectedLink, nameOf: (did: string) => string): string[] {
  const begins = link.notBefore === null ? '' : `from ${formatTime(link.notBefore)} UTC, `
  const issued = link.issuedAt === null ? [] : [['issued', `${formatTime(link.issuedAt)} UTC`] as const]
  const rows: (readonly [string, string])[] = [
    ['from', nameOf(link.issuer)],
    ['to', nameOf(link.audience)],
    ...link.capabilities.map((one, i) => [i === 0 ? 'may' : '', capabilityText(one)] as const),
    ['valid', begins + expiryText(link.expiration, now())],
    ...issued,
    ['signature', link.signature],
    ['cid', link.cid],
  ]
  const title =
    link.link === 0 ? 'link 0, the outermost' : `link ${link.link}, which link ${link.link - 1} rests on`
  return [out.paint('bold', title), ...rows.map(([name, text]) => `  ${name.padEnd(9)}  ${printable(text)}`)]
}

function verdictLines({ out }: CliContext, valid: boolean, problems: readonly Problem[]): string[] {
  if (valid)
    return [
      `${out.paint('green', 'In order')}, as far as can be known here: only a hub knows of revocations.`,
    ]
  return [
    `${out.paint('red', 'Not valid')}:`,
    ...problems.map(({ code, message }) => `  ${code}: ${printable(message)}`),
  ]
}
