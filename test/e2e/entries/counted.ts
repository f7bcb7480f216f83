import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Storage } from './storages.ts'

/** A storage of which it is counted how often it is asked. */
export interface CountedStorage extends Storage {
  /** Since this was last asked for. */
  requests(): number
}

/** Puts something that counts between a function and its storage; whose name stays as it was signed. */
export async function counted(storage: Storage): Promise<CountedStorage> {
  const { env } = storage
  const [, host = ''] = /https?:\/\/(127\.0\.0\.1:\d+)/.exec(Object.values(env).join(' ')) ?? []
  const [hostname, port] = host.split(':')
  let requests = 0
  const server = createServer((req, res) => {
    requests += 1
    const { method, url: path, headers } = req
    const sent = request({ hostname, port, method, path, headers, agent: false }, (answer) => {
      res.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      answer.pipe(res)
    })
    sent.on('error', () => res.destroy())
    req.pipe(sent)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.replaceAll(host, own)])),
    requests() {
      const before = requests
      requests = 0
      return before
    },
    async end() {
      server.closeAllConnections()
      server.close()
      await storage.end()
    },
  }
}
