import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'

/** A static site at an origin of its own. */
export interface Site {
  /** Without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

/** Serves texts by path, `/` for the page itself. */
export async function startSite(files: ReadonlyMap<string, string>): Promise<Site> {
  const server = createServer((req, res) => {
    const path = (req.url ?? '/').split('?', 1)[0] ?? '/'
    const content = files.get(path)
    const type = path.endsWith('.js') ? 'text/javascript' : 'text/html'
    res.writeHead(content === undefined ? 404 : 200, { 'Content-Type': `${type}; charset=utf-8` })
    res.end(content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A module and all that it imports as one script, by a bundler as it comes. @param file path of a built module */
export async function bundleScript(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [file],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

/** A page that does nothing but load `/page.js`. */
export const barePage =
  '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>A dApp</title><script type="module" src="/page.js"></script></html>'
