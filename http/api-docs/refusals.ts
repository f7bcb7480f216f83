import { type ErrorCode, wire } from '../errors.ts'

/** One answer of an operation in a description: what OpenAPI calls a Response Object. */
export interface DescribedResponse {
  description: string
  headers?: Record<string, unknown>
  content?: Record<
    string,
    { schema: unknown; example?: unknown; examples?: Record<string, { value: unknown }> }
  >
}

export type DescribedResponses = Record<string, DescribedResponse>

/** When each refusal is given, and what it says for instance. */
const rows: Record<ErrorCode, { when: string; message: string; details?: Record<string, unknown> }> = {
  invalid_input: {
    when: 'A header or a member of the body is not as it must be.',
    message: '"page" must be null or the "page" of a former answer',
  },
  unauthorized: {
    when: 'The credential is missing, malformed, expired, revoked or not for this address. `code` says why where the credential is a UCAN, or a v1 token that writes through a grant.',
    message: 'the UCAN is expired (link 1, exp): expected a time that is still ahead',
    details: { code: 'expired', link: 1, claim: 'exp', expected: 'a time that is still ahead' },
  },
  token_too_old: {
    when: "The token is older than the owner's oldest valid timestamp, or does not say when it was issued.",
    message: 'the owner accepts tokens issued ("iat") at 1782864000 or later only; this one is older',
  },
  not_enough_proofs: {
    when: "The owner's profile carries fewer social proofs than this hub asks for.",
    message: 'the profile of the address carries 0 of the 1 social proofs that this hub asks for',
  },
  bad_path: {
    when: 'The path is not one that can be stored: empty, with `.` or `..` segments, an empty segment, a backslash, a control character, malformed percent-encoding, over 1,024 bytes or 100 segments.',
    message: 'a path must not have empty segments',
  },
  not_authorized: {
    when: 'The credential is valid and in force, and does not cover the request.',
    message: 'the credential allows files of at most 1048576 bytes',
    details: { code: 'not-covered' },
  },
  not_found: { when: 'There is nothing.', message: 'there is no such file' },
  method_not_allowed: {
    when: 'The method is not one of this route.',
    message: 'the reader answers GET, HEAD, OPTIONS',
  },
  request_timeout: {
    when: 'The request did not arrive in time, or stood still.',
    message: 'the request did not arrive in time',
  },
  conflict: {
    when: 'Another operation is under way at the same path. Try again.',
    message: 'another operation is under way at this path',
  },
  precondition_failed: {
    when: '`If-Match` or `If-None-Match` does not hold. `etag` is the version in force, where it is known.',
    message: 'the file is not the version that was asked for',
    details: { etag: '"5f1c0e"' },
  },
  payload_too_large: {
    when: 'The body is larger than this hub takes.',
    message: 'a file may have at most 20971520 bytes at this hub',
  },
  range_not_satisfiable: {
    when: 'The range lies outside of the file.',
    message: 'the range lies outside of the file',
    details: { size: 11 },
  },
  rate_limited: {
    when: 'Too many requests, or too many open connections, of one peer or for one address. `Retry-After` says when to come back.',
    message: 'too many requests from this network address',
  },
  headers_too_large: {
    when: 'The headers are larger than the server takes: 32 KiB at least.',
    message: 'the headers of the request are too large',
  },
  server_error: { when: 'A fault of the server; its log says more.', message: 'Server Error' },
  not_supported: {
    when: 'This server, or the storage behind it, cannot do that, and trying again will not help.',
    message: 'this hub hands out no direct uploads; send the file to /store',
  },
  bad_gateway: {
    when: 'The storage refuses to work. `Retry-After` says when to come back.',
    message: 'the storage refused the request',
  },
  unavailable: {
    when: 'The storage does not answer. `Retry-After` says when to come back.',
    message: 'the storage does not answer',
  },
  overloaded: {
    when: 'The server has more to do than it can. `Retry-After` says when to come back.',
    message: 'the server is busy',
  },
}

/** What any route may answer. */
const anywhere: readonly ErrorCode[] = [
  'invalid_input',
  'request_timeout',
  'rate_limited',
  'headers_too_large',
  'overloaded',
]

/** What any route may answer that needs the storage. */
export const storageFaults: readonly ErrorCode[] = ['server_error', 'bad_gateway', 'unavailable']

/**
 * The refusals of one operation, by status, from the one table of errors.
 * @param codes those beyond what any route may answer
 * @param when in place of what a refusal means in general
 */
export function refusals(
  codes: readonly ErrorCode[],
  when: Partial<Record<ErrorCode, string>> = {},
): DescribedResponses {
  const all = [...new Set([...codes, ...anywhere])]
  // Names that are whole numbers come in their order in any object.
  const statuses = new Set(all.map((code) => wire[code].status))
  return Object.fromEntries(
    [...statuses].map((status) => {
      const ofStatus = all.filter((code) => wire[code].status === status)
      return [status, refusal(ofStatus, when)]
    }),
  )
}

function refusal(codes: readonly ErrorCode[], when: Partial<Record<ErrorCode, string>>): DescribedResponse {
  const examples = codes.map((code) => [code, { value: exampleOf(code) }] as const)
  const mayWait = codes.some((code) => wire[code].status >= 502 || wire[code].status === 429)
  const headers = {
    ...(mayWait ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}),
    ...(codes.includes('range_not_satisfiable') ? { 'Content-Range': unsatisfiedRange } : {}),
  }
  return {
    description: codes.map((code) => when[code] ?? rows[code].when).join(' '),
    ...(Object.keys(headers).length === 0 ? {} : { headers }),
    content: {
      'application/json': {
        schema: { $ref: '#/components/schemas/Error' },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

const unsatisfiedRange = {
  description: '`bytes */<size>`',
  schema: { type: 'string' },
  example: 'bytes */11',
}

/** The body of a refusal. */
export function exampleOf(code: ErrorCode): Record<string, unknown> {
  const { message, details } = rows[code]
  const { error } = wire[code]
  return error === null ? { message } : { message, error, ...details }
}
