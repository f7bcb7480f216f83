/**
 * Serves the to-do list at http://localhost:8080, and the SDK for it, bundled. A hub must run:
 *
 *     npm start
 *     node build/client/examples/todo/serve.js
 *
 * Another port: `PORT=8081`. Another hub: `http://localhost:8080/?hub=https://hub.example.org`.
 */
import { createServer } from 'node:http'
import { todoFiles } from './files.ts'

const port = Number(process.env.PORT ?? 8080)
const files = await todoFiles()
const server = createServer((req, res) => {
  const file = files.get((req.url ?? '/').split('?', 1)[0] ?? '/')
  res.writeHead(file === undefined ? 404 : 200, { 'Content-Type': file?.type ?? 'text/plain' })
  res.end(file?.content ?? 'not found')
})
server.listen(port, '127.0.0.1', () => process.stdout.write(`http://localhost:${port}/\n`))
process.once('SIGINT', () => server.close().closeAllConnections())
