import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What Node tells of each request before its server does (`http.server.request.start`). */
interface RequestStart {
  request: IncomingMessage
  server: Server
}

/**
 * Functions Framework looks at every request before the function is asked: it refuses paths that do not decode, JSON
 * that is none and texts in character sets that it does not know, unpacks what is compressed, and answers for
 * `/robots.txt`. Hub and reader judge requests by themselves, so it is shown neither the target nor that there is a
 * body; `rawHeaders` still tell.
 * @param ownPort of the server behind the function, whose requests stay as they are
 * @returns tells the target of a request
 */
export function keepUnparsed(ownPort: number): (req: IncomingMessage) => string {
  const targets = new WeakMap<IncomingMessage, string>()
  subscribe('http.server.request.start', (message) => {
    const { request, server } = message as RequestStart
    if ((server.address() as AddressInfo | null)?.port === ownPort) return
    targets.set(request, request.url ?? '/')
    request.url = '/'
    delete request.headers['content-length']
    delete request.headers['transfer-encoding']
  })
  return (req) => {
    const target = targets.get(req)
    if (target === undefined) throw new TypeError('the request came by another way than that of Node')
    return target
  }
}
