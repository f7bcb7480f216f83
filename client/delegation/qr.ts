/**
 * Delegations as QR codes: `mandate/client/qr`, a module of its own, so that only those who draw codes load what draws
 * them.
 *
 * @packageDocumentation
 */
import { renderSVG, renderUnicodeCompact } from 'uqr'
import type { Delegation } from './delegation.ts'
import { DelegationError } from './errors.ts'

/** How a code is drawn. */
export interface QrOptions {
  /** An absolute URL of a page that takes delegations; a `mandate:` URL without it. See `Delegation.toUrl`. */
  page?: string | URL
}

/** Bytes of the largest code (ISO/IEC 18004, version 40, level L). */
const maxBytes = 2_953

/** A code as large as it must be; where there is room, one that can be read when a part of it is damaged. */
const drawing = { ecc: 'L', boostEcc: true, border: 4 } as const

/**
 * An SVG of a delegation as a URL, black on white, to be shown at any size.
 * @throws {DelegationError} `too-large` over 2,953 bytes: a chain of about five links
 */
export function qrSvg(delegation: Delegation, { page }: QrOptions = {}): string {
  return renderSVG(textOf(delegation, page), drawing)
}

/**
 * The same for a terminal, white on black, two rows of the code in each line of half blocks.
 * @param options.color whether escape sequences set the colors; without them the terminal must be a dark one
 * @throws {DelegationError} `too-large`
 */
export function qrTerminal(
  delegation: Delegation,
  { page, color = true }: QrOptions & { color?: boolean } = {},
): string {
  const lines = renderUnicodeCompact(textOf(delegation, page), { ...drawing, border: 2 }).split('\n')
  return lines.map((line) => (color ? `\u001b[97;40m${line}\u001b[0m` : line)).join('\n')
}

function textOf(delegation: Delegation, page: string | URL | undefined): string {
  const text = delegation.toUrl(page)
  if (text.length <= maxBytes) return text
  throw new DelegationError(
    'too-large',
    `a QR code holds ${maxBytes} characters and this delegation has ${text.length}: send it as text or as a link`,
  )
}
