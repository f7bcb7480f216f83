import {
  BadPathError,
  ConflictError,
  InvalidInputError,
  MandateError,
  type MandateErrorDetails,
  NotAuthorizedError,
  NotEnoughProofsError,
  NotFoundError,
  PayloadTooLargeError,
  PreconditionFailedError,
  RangeNotSatisfiableError,
  RateLimitedError,
  ServerError,
  UnauthorizedError,
} from '../errors.ts'
import { readBounded } from './read-bounded.ts'

/** A refusal is small; what is larger is none of a hub's. */
const maxRefusalBytes = 64 * 1024
const maxMessageLength = 500
const maxSearchedLength = 4_096

type ErrorClass = new (message: string, details: MandateErrorDetails) => MandateError

const classes: Readonly<Record<number, ErrorClass>> = {
  400: InvalidInputError,
  401: UnauthorizedError,
  402: NotEnoughProofsError,
  403: NotAuthorizedError,
  404: NotFoundError,
  409: ConflictError,
  412: PreconditionFailedError,
  413: PayloadTooLargeError,
  416: RangeNotSatisfiableError,
  429: RateLimitedError,
}

/** The error that an answer amounts to. Reads its body. */
export async function refusalOf(response: Response): Promise<MandateError> {
  // What a storage says where a reader has sent us may repeat the signed URL.
  const body = response.redirected ? {} : await readRefusal(response)
  const { status } = response
  const hubError = textOrNull(body.error)
  const code =
    textOrNull(body.code) ?? (hubError === 'AuthTokenTimestampValidationError' ? 'token-too-old' : null)
  return new (classOf(status, hubError))(messageOf(status, textOrNull(body.message)), {
    ...(code === null ? {} : { code }),
    status,
    hubError,
    etag: textOrNull(body.etag) ?? response.headers.get('etag'),
    retryAfterSeconds: retryAfter(response.headers.get('retry-after')),
  })
}

function classOf(status: number, hubError: string | null): ErrorClass {
  if (hubError === 'BadPathError') return BadPathError
  return classes[status] ?? (status >= 500 ? ServerError : MandateError)
}

function messageOf(status: number, message: string | null): string {
  return message === null ? `the answer was ${status}` : `${withoutTokens(message)} (${status})`
}

/** What a hub, or somebody in between, says back must not put a token into a log. */
function withoutTokens(text: string): string {
  // Cut first: the search takes the square of the length at worst.
  const cut = text.slice(0, maxSearchedLength)
  return cut.replace(/[\w-]{16,}\.[\w-]{16,}(?:\.[\w-]*)?/g, '[token]').slice(0, maxMessageLength)
}

async function readRefusal(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBounded(response, maxRefusalBytes)
  if (bytes === null) return {}
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Seconds (RFC 9110 section 10.2.3); the date form is not made by hubs. */
export function retryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) : null
}
