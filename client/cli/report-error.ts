import { CommanderError } from 'commander'
import { DelegationError } from '../delegation/errors.ts'
import { MandateError } from '../errors.ts'
import { SealError, type SealErrorCode } from '../seal/errors.ts'
import { CliError } from './cli-error.ts'
import { type ExitName, exitCodes } from './exit-codes.ts'
import type { Output } from './terminal/output.ts'

/** What is told of an error, and how the program ends for it. */
export interface Failure {
  exit: ExitName
  /** For programs, in kebab-case. */
  code: string
  message: string
  hint?: string
  details?: Record<string, unknown>
}

/** Errors of this program, of the SDK, of the command line's parser and of the file system, in one form. */
export function failureOf(error: unknown, signal?: AbortSignal): Failure {
  if (signal?.aborted === true) return { exit: 'interrupted', code: 'interrupted', message: 'interrupted' }
  if (error instanceof CliError) return ofCliError(error)
  if (error instanceof CommanderError) {
    return { exit: 'usage', code: 'usage', message: error.message.replace(/^error: /, '') }
  }
  if (error instanceof DelegationError)
    return { exit: exitOfDelegation(error), code: error.code, message: error.message }
  if (error instanceof SealError) return ofSealError(error)
  if (error instanceof MandateError) return ofMandateError(error)
  return ofOther(error)
}

/** Tells it on standard error; the exit status. */
export function reportFailure(failure: Failure, out: Output): number {
  const { exit, code, message, hint, details = {} } = failure
  const { status } = exitCodes[exit]
  if (out.json) out.jsonError({ code, exit, status, message, ...details })
  else out.error(message, hint)
  return status
}

function ofCliError({ exit, message, hint, details }: CliError): Failure {
  return { exit, code: exit, message, details, ...(hint === undefined ? {} : { hint }) }
}

/** By HTTP status where the hub answered, else by the code. */
function ofMandateError(error: MandateError): Failure {
  const details = {
    ...(error.status === null ? {} : { httpStatus: error.status }),
    ...(error.etag === null ? {} : { etag: error.etag }),
  }
  return { exit: exitOfMandate(error), code: error.code, message: error.message, details }
}

const exitsByCode: Readonly<Record<string, ExitName>> = {
  'bad-path': 'invalid',
  'invalid-input': 'invalid',
  'payload-too-large': 'invalid',
  'range-not-satisfiable': 'invalid',
  'not-found': 'not-found',
  conflict: 'conflict',
  'precondition-failed': 'conflict',
  'outcome-unknown': 'conflict',
  'changed-while-reading': 'conflict',
  'rate-limited': 'network',
  'server-error': 'network',
  network: 'network',
  'incomplete-transfer': 'network',
}

const exitsByStatus: Readonly<Record<number, ExitName>> = {
  400: 'invalid',
  401: 'refused',
  402: 'refused',
  403: 'refused',
  404: 'not-found',
  408: 'network',
  409: 'conflict',
  412: 'conflict',
  413: 'invalid',
  416: 'invalid',
  429: 'network',
  431: 'invalid',
}

function exitOfMandate({ code, status }: MandateError): ExitName {
  const byCode = exitsByCode[code]
  if (byCode !== undefined) return byCode
  if (status === null) return 'failed'
  return exitsByStatus[status] ?? (status >= 500 ? 'network' : 'failed')
}

const sealHints: Partial<Record<SealErrorCode, string>> = {
  'not-a-recipient':
    'It opens for its recipients only. --as names another key; for a group that you are a member of: mandate group join.',
  'unknown-sealer': 'If you know whose key that is, and expect it here: --allow-sealer <DID>.',
  'no-encryption-key': 'Whoever is meant publishes one by: mandate key publish.',
  unsealed:
    'The storage, or anybody who may write there, may have put it there. If its owner says so: --allow-sealer anybody.',
  'rolled-back': 'Somebody shows an old state, or the storage was set back. Nothing of it was used.',
  forked: 'Somebody shows different readers different files. Nothing of it was used.',
}

function ofSealError({ code, message }: SealError): Failure {
  const hint = sealHints[code]
  // Whoever reads it again gets the new one.
  const exit = code === 'replaced' ? 'conflict' : 'sealed'
  return { exit, code, message, ...(hint === undefined ? {} : { hint }) }
}

/** What is wrong with a token is a refusal; what is wrong with what was asked for, a slip of the command line. */
function exitOfDelegation({ code }: DelegationError): ExitName {
  if (code === 'invalid-wallet') return 'failed'
  return code.startsWith('invalid-') ? 'usage' : 'refused'
}

function ofOther(error: unknown): Failure {
  if (!(error instanceof Error)) return { exit: 'failed', code: 'failed', message: String(error) }
  const { code, path } = error as NodeJS.ErrnoException
  if (code === 'ENOENT')
    return { exit: 'not-found', code: 'not-found', message: `no such file: ${path ?? error.message}` }
  if (code === 'EACCES' || code === 'EPERM') {
    return { exit: 'failed', code: 'failed', message: `no permission: ${path ?? error.message}` }
  }
  if (code === 'ENOSPC') return { exit: 'failed', code: 'failed', message: 'the disk is full' }
  return { exit: 'failed', code: 'failed', message: error.message }
}
