import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { ReadableStream } from 'node:stream/web'
import azure, { type HttpHandler } from '@azure/functions'
import { serveFunction } from './runtime.ts'

// Stands where Azure's host stands: takes HTTP, and invokes the handler of the artefact that the command line names,
// with requests and answers of Azure's own classes.

const [, , artefact = '', name = ''] = process.argv
const handler = ((await import(artefact)) as Record<string, HttpHandler>)[name]
if (handler === undefined) throw new Error(`the artefact exports no ${name}`)

serveFunction(async (req, res) => {
  const request = new azure.HttpRequest({
    method: req.method ?? '',
    url: `https://hub.azurewebsites.net${req.url}`,
    headers: headersOf(req),
    body: { bytes: await buffer(req) },
  })
  const response = new azure.HttpResponse((await handler(request, new azure.InvocationContext())) ?? {})
  res.writeHead(response.status, [...response.headers].flat())
  if (response.body === null) res.end()
  else Readable.fromWeb(response.body as ReadableStream).pipe(res)
})

function headersOf({ headers, socket }: IncomingMessage): Record<string, string> {
  const sent = Object.entries(headers).filter(
    ([name]) => name !== 'transfer-encoding' && name !== 'connection',
  )
  const own: Record<string, string> = Object.fromEntries(sent.map(([name, value]) => [name, String(value)]))
  return { ...own, 'x-forwarded-for': `${socket.remoteAddress}:${socket.remotePort}` }
}
