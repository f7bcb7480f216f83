import { subscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What Node tells of each request before its server does (`http.server.request.start`). */
interface RequestStart {
  request: IncomingMessage
  server: Server
}

/**
 * Functions Framework parses every body before the function is asked: it refuses JSON that is none, texts in character
 * sets that it does not know, and unpacks what is compressed. Files are to come as they are, so it is not shown that a
 * request has a body; `rawHeaders` still tell.
 * @param ownPort of the server behind the function, whose requests stay as they are
 */
export function keepBodiesRaw(ownPort: number): void {
  subscribe('http.server.request.start', (message) => {
    const { request, server } = message as RequestStart
    if ((server.address() as AddressInfo | null)?.port === ownPort) return
    delete request.headers['content-length']
    delete request.headers['transfer-encoding']
  })
}
