import { Delegation } from '../../delegation/delegation.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { readText } from '../terminal/read-input.ts'

/** More than any delegation or token takes. */
const maxTextBytes = 64 * 1024

/** A token or a delegation as somebody hands it over: a file, `-` for standard input, or the text or URL itself. */
export async function readTokenText(context: CliContext, given: string | undefined): Promise<string> {
  if (given === undefined && context.io.stdin.isTTY === true) {
    throw new CliError('usage', 'say which: a file, the text itself, or - for standard input')
  }
  if (given !== undefined && isTokenText(given)) return given
  const text = await readText(context, given ?? '-', maxTextBytes)
  if (text.trim() === '') throw new CliError('usage', `${given ?? 'standard input'} is empty`)
  return text
}

/** @throws {DelegationError} `malformed` and others */
export async function readDelegation(context: CliContext, given: string | undefined): Promise<Delegation> {
  return Delegation.parse(await readTokenText(context, given))
}

/** Every token begins with the base64 of `{"`. */
export function isTokenText(text: string): boolean {
  return /^(?:mandate:|v1:|ucan:)?eyJ[\w-]+\./.test(text) || /#(?:.*&)?mandate=eyJ/.test(text)
}
