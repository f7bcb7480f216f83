import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import type { LambdaHandler } from '../../../deploy/aws-lambda/handle.ts'
import { serveFunction } from './runtime.ts'

// Stands where AWS stands: takes HTTP, and invokes the handler of the artefact that the command line names, with
// events as function URLs make them and within Lambda's bounds.

const { handler } = (await import(String(process.argv[2]))) as { handler: LambdaHandler }

const maxPayloadBytes = 6 * 1024 * 1024

const timeoutMs = 30_000

serveFunction(async (req, res) => {
  const event = JSON.stringify(eventOf(req, await buffer(req)))
  if (event.length > maxPayloadBytes) {
    res.writeHead(413, { 'Content-Type': 'application/json' }).end('{"Message":null}')
    return
  }
  const endMs = performance.now() + timeoutMs
  const context = { getRemainingTimeInMillis: () => endMs - performance.now() }
  const result = JSON.stringify(await handler(JSON.parse(event) as APIGatewayProxyEventV2, context))
  if (result.length > maxPayloadBytes)
    throw new Error(`Response payload size (${result.length} bytes) exceeded`)
  const { statusCode, headers, body, isBase64Encoded } = JSON.parse(result) as Awaited<
    ReturnType<LambdaHandler>
  >
  res.writeHead(statusCode ?? 200, headers as Record<string, string>)
  res.end(Buffer.from(body ?? '', isBase64Encoded === true ? 'base64' : 'utf8'))
})

function eventOf(req: IncomingMessage, body: Buffer): APIGatewayProxyEventV2 {
  const [rawPath = '', ...query] = (req.url ?? '').split('?')
  const method = req.method ?? ''
  const sourceIp = req.socket.remoteAddress ?? ''
  const domainPrefix = 'abcdefghijklmnopqrstuvwxyz012345'
  const isText =
    /^(text\/|application\/(json|javascript|xml))/.test(req.headers['content-type'] ?? '') && isUtf8(body)
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: query.join('?'),
    headers: { ...headersOf(req), 'x-forwarded-for': sourceIp, 'x-forwarded-proto': 'https' },
    requestContext: {
      accountId: 'anonymous',
      apiId: domainPrefix,
      domainName: `${domainPrefix}.lambda-url.eu-central-1.on.aws`,
      domainPrefix,
      http: {
        method,
        path: rawPath,
        protocol: 'HTTP/1.1',
        sourceIp,
        userAgent: req.headers['user-agent'] ?? '',
      },
      requestId: 'c6af9ac6-7b61-11e6-9a41-93e8deadbeef',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2026:19:03:58 +0000',
      timeEpoch: 1_773_342_238_000,
    },
    ...(body.length === 0 ? {} : { body: body.toString(isText ? 'utf8' : 'base64') }),
    isBase64Encoded: body.length > 0 && !isText,
  }
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
