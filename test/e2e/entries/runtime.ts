import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** More than any front end lets through, so that what is measured is what stands behind it. */
const maxHeaderSize = 128 * 1024

/** Serves as the front end of a cloud does, and tells where on standard output. */
export function serveFunction(answer: (req: IncomingMessage, res: ServerResponse) => Promise<void>): void {
  const server = createServer({ maxHeaderSize }, (req, res) => {
    answer(req, res).catch((error: unknown) => {
      console.error(error)
      if (res.headersSent) res.destroy()
      else res.writeHead(502).end('Internal Server Error')
    })
  })
  server.listen(0, '127.0.0.1', () => {
    console.log(`URL: http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  })
}
