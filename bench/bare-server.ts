/**
 * The yardstick: what Node itself does for the same bytes with the same promise. A POST streams into a temporary
 * file, which is flushed, renamed into place, and its folder flushed; the answer is a small JSON. No checks.
 *
 * Usage: node bare-server.js PORT ROOT fsync|none
 */
import { createWriteStream } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'

const [port = '0', root = '', durability = 'fsync'] = process.argv.slice(2)
const flush = durability === 'fsync'
let count = 0

await mkdir(join(root, 'tmp'), { recursive: true })

const server = createServer((req, res) => {
  const file = join(root, decodeURIComponent(req.url ?? ''))
  const temporary = join(root, 'tmp', String(count++))
  store(req, temporary, file).then(
    () => {
      res
        .writeHead(202, { 'Content-Type': 'application/json' })
        .end(JSON.stringify({ publicURL: req.url, etag: 'none' }))
    },
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      res.writeHead(500).end()
    },
  )
})

async function store(body: NodeJS.ReadableStream, temporary: string, file: string): Promise<void> {
  await pipeline(body, createWriteStream(temporary, { flush }))
  await rename(temporary, file).catch(async () => {
    await mkdir(dirname(file), { recursive: true })
    await rename(temporary, file)
  })
  if (!flush) return
  const folder = await open(dirname(file))
  await folder.sync()
  await folder.close()
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address()
  process.stdout.write(`listening ${typeof address === 'object' && address !== null ? address.port : ''}\n`)
})
process.once('SIGTERM', () => {
  server.close()
  server.closeAllConnections()
})
