import {
  ConflictError,
  MandateError,
  type MandateErrorDetails,
  PayloadTooLargeError,
  PreconditionFailedError,
  RateLimitedError,
  ServerError,
  UnauthorizedError,
} from '../errors.ts'
import { readBounded } from '../transport/read-bounded.ts'
import { retryAfter } from '../transport/refusal.ts'

const maxBytes = 64 * 1024

type ErrorClass = new (message: string, details: MandateErrorDetails) => MandateError

const classes: Readonly<Record<number, ErrorClass>> = {
  409: ConflictError,
  412: PreconditionFailedError,
  413: PayloadTooLargeError,
  429: RateLimitedError,
}

/**
 * The error that a storage's refusal of an upload amounts to. Its own words may repeat the signed URL, so nothing but
 * its code is told: `<Code>` of the XML of S3 and of Cloud Storage.
 * @param isLate whether the time of the request is over
 */
export async function storageRefusal(response: Response, isLate: boolean): Promise<MandateError> {
  const { status, headers } = response
  const code = await codeOf(response)
  const message = `the storage refused the upload (${code === null ? '' : `${code}, `}${status})`
  const details = { status, retryAfterSeconds: retryAfter(headers.get('retry-after')) }
  if (code === 'EntityTooLarge') return new PayloadTooLargeError(message, { ...details, status: 413 })
  if (isExpired(status, code, isLate)) {
    return new UnauthorizedError(`${message}: its time was over`, { ...details, code: 'expired' })
  }
  const ErrorOfStatus = classes[status] ?? (status >= 500 ? ServerError : null)
  if (ErrorOfStatus !== null) return new ErrorOfStatus(message, details)
  return new MandateError(message, { ...details, code: 'upload-refused' })
}

/** S3 calls it a denied access, without a code of its own. */
function isExpired(status: number, code: string | null, isLate: boolean): boolean {
  return code === 'ExpiredToken' || ((status === 400 || status === 403) && isLate)
}

async function codeOf(response: Response): Promise<string | null> {
  const bytes = await readBounded(response, maxBytes)
  const text = new TextDecoder().decode(bytes ?? new Uint8Array())
  return /<Code>([A-Za-z]{1,64})<\/Code>/.exec(text)?.[1] ?? null
}
