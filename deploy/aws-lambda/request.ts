import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { WireError } from '../../http/errors.ts'
import type { FunctionRequest } from '../functions/forward.ts'

/** An event of payload format 2.0, which function URLs and HTTP APIs of API Gateway have in common, as a request. */
export function requestOf(event: APIGatewayProxyEventV2): FunctionRequest {
  const { method, sourceIp } = event.requestContext.http
  const body = bodyOf(event)
  return {
    method,
    target: targetOf(event),
    headers: Object.entries(event.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [name, value],
    ),
    peer: sourceIp,
    body: body.length === 0 && (method === 'GET' || method === 'HEAD') ? null : body,
  }
}

/**
 * @throws {WireError} where bytes were lost, or may have been: in the place of what is not valid UTF-8 an event has
 * U+FFFD, of which nobody can tell whether it was sent
 */
function bodyOf({ body = '', isBase64Encoded, headers }: APIGatewayProxyEventV2): Buffer {
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8')
  const told = headers['content-length']
  const isWhole = told === undefined || Number(told) === bytes.length
  if (isWhole && (isBase64Encoded || !body.includes('\ufffd'))) return bytes
  throw new WireError(
    'invalid_input',
    'the body did not arrive as it was sent; send it as application/octet-stream',
  )
}

/**
 * Function URLs tell the path as it was sent. HTTP APIs have decoded it, so that it is encoded anew, to what decodes to
 * the same name.
 */
function targetOf({ rawPath, rawQueryString, requestContext }: APIGatewayProxyEventV2): string {
  const isRaw = /\.lambda-url\.[^.]+\.on\.aws$/.test(requestContext.domainName)
  const path = isRaw ? escaped(rawPath) : encoded(rawPath)
  return rawQueryString === '' ? path : `${path}?${escaped(rawQueryString)}`
}

/** Only what no request target may hold as it stands; an escape stays what it is. */
function escaped(text: string): string {
  return text.replace(/[^\x21-\x7e]+|#/g, percentEncoded)
}

function encoded(path: string): string {
  return path.split('/').map(percentEncoded).join('/')
}

/** @throws {WireError} for text that has no form in UTF-8 */
function percentEncoded(text: string): string {
  try {
    return encodeURIComponent(text)
  } catch (cause) {
    throw new WireError('invalid_input', 'the path is not valid Unicode', { cause })
  }
}
