import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import azure, { type HttpHandler, type HttpRequest, type HttpResponseInit } from '@azure/functions'
import { describeError } from '../../http/describe-error.ts'
import { answerHeaders, type FunctionRequest, forward } from '../functions/forward.ts'
import { refusalOf } from '../functions/refusal.ts'
import { type FunctionKind, startFunction } from '../functions/start-function.ts'

/** Starts hub or reader, once for each cold start, and registers the function that takes their requests. */
export async function azureFunction(kind: FunctionKind): Promise<HttpHandler> {
  const server = await startFunction(kind)
  const handler: HttpHandler = async (request) => {
    try {
      return await responseOf(request.method, server.port, requestOf(request))
    } catch (error) {
      server.logger.warn({ err: describeError(error) }, 'answered by the function itself')
      const { status, headers, body } = refusalOf(error)
      return { status, headers: Object.fromEntries(headers), body }
    }
  }
  // Bodies pass through as they come, whatever their size.
  azure.app.setup({ enableHttpStream: true })
  azure.app.http(kind, {
    route: '{*path}',
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS'],
    authLevel: 'anonymous',
    handler,
  })
  azure.app.hook.appTerminate(() => server.close())
  return handler
}

function requestOf({ method, url, headers, body }: HttpRequest): FunctionRequest {
  const { pathname, search } = new URL(url)
  return {
    method,
    target: `${pathname}${search}`,
    headers: [...headers].flat(),
    peer: peerOf(headers.get('x-forwarded-for')),
    body: body === null ? emptyBody(method) : Readable.fromWeb(body as ReadableStream),
  }
}

function emptyBody(method: string): Uint8Array | null {
  return method === 'GET' || method === 'HEAD' ? null : new Uint8Array()
}

/** Azure's front end adds the client that it sees, with its port, to what the client itself may have said. */
function peerOf(forwarded: string | null): string | null {
  const last = forwarded?.split(',').at(-1)?.trim() ?? ''
  const address = /^\[(.*)\](?::\d+)?$|^([\d.]+):\d+$/.exec(last)
  return (address?.[1] ?? address?.[2] ?? last) || null
}

async function responseOf(method: string, port: number, request: FunctionRequest): Promise<HttpResponseInit> {
  const answer = await forward(port, request)
  const status = answer.statusCode ?? 500
  const hasBody = method !== 'HEAD' && status !== 204 && status !== 304
  return {
    status,
    headers: Object.fromEntries(answerHeaders(answer)),
    ...(hasBody ? { body: Readable.toWeb(answer) as ReadableStream } : {}),
  }
}
