import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import { alice } from '../hub/people.ts'
import { v1Token } from '../hub/tokens.ts'
import { debianProgram } from '../servers/debian-program.ts'
import { addressIn, endBins, startBin, tempFolder } from './bins.ts'
import { makeCertificate } from './certificate.ts'

const sample = (path: string) => readFile(new URL(`../../../deploy/${path}`, import.meta.url), 'utf8')

/** The two servers behind the proxy. */
interface Upstreams {
  hub: number
  reader: number
}

/** A proxy that listens for TLS. */
interface Proxy {
  port: number
  end(): Promise<void>
}

interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  body: Buffer
}

const hubHost = 'hub.example.org'
const filesHost = 'files.example.org'

const proxies = [
  { name: 'nginx', start: startNginx },
  { name: 'Caddy', start: startCaddy },
]

for (const { name, start } of proxies) {
  describe(`hub and reader behind ${name}, by the sample configuration`, () => {
    let proxy: Proxy | undefined
    before(async function () {
      // The packages may have to be fetched.
      this.timeout(120_000)
      const servers = await startBin('mandate-serve', {
        file: {
          limits: { maxSocketsPerPeer: 0, trustedProxies: ['127.0.0.1'], peerRequestsPerMinute: 40 },
          logLevel: 'info',
          maxFileUploadSize: 1,
          hub: { host: '127.0.0.1', port: 0, serverName: 'hub.example' },
          reader: { host: '127.0.0.1', port: 0 },
        },
      })
      await servers.until(/ stop +Ctrl-C/)
      const port = (label: 'write at' | 'read at') => Number(new URL(addressIn(servers, label)).port)
      proxy = await start({ hub: port('write at'), reader: port('read at') })
    })
    after(async () => {
      await proxy?.end()
      await endBins()
    })

    const send = (host: string, method: string, path: string, options: SendOptions = {}) => {
      if (proxy === undefined) throw new Error('the proxy runs while the tests do')
      return sendTls(proxy.port, host, method, path, options)
    }
    const authorization = `bearer ${v1Token(alice)}`

    it('stores and reads, awkward names too', async () => {
      for (const path of ['a.txt', 'with%20space/%23%3F%25%2B.txt', 'ü/%C3%BC', 'x%2Fy']) {
        const target = encodeURI(decodeURI(path)) === path ? path : encodeURI(path)
        const headers = { authorization, 'content-type': 'text/plain' }
        const stored = await send(hubHost, 'POST', `/store/${alice.address}/${target}`, {
          headers,
          body: path,
        })
        expect(stored.status, stored.body.toString()).to.equal(202)
        const read = await send(filesHost, 'GET', `/${alice.address}/${target}`)
        expect(read.status, target).to.equal(200)
        expect(read.body.toString()).to.equal(path)
        expect(read.headers['content-type']).to.equal('text/plain')
      }
    })

    it("lets the hub's own refusal of a large file through, with CORS", async () => {
      const refused = await send(hubHost, 'POST', `/store/${alice.address}/large`, {
        headers: { authorization },
        body: Buffer.alloc(2 * 1024 * 1024),
      })
      expect(refused.status).to.equal(413)
      expect(JSON.parse(refused.body.toString())).to.include({ error: 'PayloadTooLargeError' })
      expect(refused.headers['access-control-allow-origin']).to.equal('*')
    })

    it('lets refusals through to clients that ask before they send, each of them', async () => {
      // Longer than what is stored is, and than what fits into the buffers on the way.
      const body = Buffer.alloc(8 * 1024 * 1024)
      for (let i = 0; i < 12; i++) {
        const refused = await send(hubHost, 'POST', `/store/${alice.address}/a`, {
          headers: { authorization: 'bearer v1:x', expect: '100-continue' },
          body,
        })
        expect(refused.status).to.equal(401)
      }
    })

    it('lets long chains of delegations through to the hub, which judges them', async () => {
      const refused = await send(hubHost, 'POST', `/store/${alice.address}/a`, {
        headers: { authorization: `Bearer ucan:${'x'.repeat(15_000)}`, ucans: `bafy: ${'y'.repeat(15_000)}` },
      })
      expect(refused.status).to.equal(401)
      expect(JSON.parse(refused.body.toString())).to.include({ error: 'ValidationError', code: 'malformed' })
    })

    it('gives ranges, versions and answers without content as the reader does', async () => {
      const target = `/${alice.address}/a.txt`
      const part = await send(filesHost, 'GET', target, { headers: { range: 'bytes=1-2' } })
      expect([part.status, part.body.toString()]).to.deep.equal([206, '.t'])
      const { etag = '' } = (await send(filesHost, 'HEAD', target)).headers
      const again = await send(filesHost, 'GET', target, { headers: { 'if-none-match': String(etag) } })
      expect(again.status).to.equal(304)
    })

    it('tells the hub whom a request comes from, whatever the client says', async () => {
      const statuses = []
      for (let i = 0; i < 60; i++) {
        const headers = { 'x-forwarded-for': `192.0.2.${i}` }
        statuses.push((await send(hubHost, 'GET', '/hub_info', { headers })).status)
      }
      // All are the same peer's, so that the limit of 40 a minute holds.
      expect(new Set(statuses)).to.deep.equal(new Set([200, 429]))
    })
  })
}

async function startNginx(upstreams: Upstreams): Promise<Proxy> {
  const program = await debianProgram('nginx')
  const folder = await tempFolder()
  const { certificate, key } = await makeCertificate(folder, [hubHost, filesHost])
  const port = await freePort()
  const servers = (await sample('nginx/mandate.conf'))
    .replaceAll('listen 443 ', `listen 127.0.0.1:${port} `)
    .replace('127.0.0.1:3000', `127.0.0.1:${upstreams.hub}`)
    .replace('127.0.0.1:3001', `127.0.0.1:${upstreams.reader}`)
    .replaceAll(/\/etc\/ssl\/\S+\.pem/g, certificate)
    .replaceAll(/\/etc\/ssl\/\S+\.key/g, key)
  await mkdir(join(folder, 'temp'))
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${folder}/temp/${kind};`,
  )
  const whole = `daemon off; master_process off; pid ${folder}/pid; error_log stderr warn; events {}
http { access_log off; ${temp.join(' ')} ${servers} }`
  const file = join(folder, 'nginx.conf')
  await writeFile(file, whole)
  return follow(
    spawn(program, ['-e', 'stderr', '-p', folder, '-c', file], { stdio: ['ignore', 'ignore', 'pipe'] }),
    port,
  )
}

async function startCaddy(upstreams: Upstreams): Promise<Proxy> {
  const program = await debianProgram('caddy')
  const folder = await tempFolder()
  const port = await freePort()
  // Its own authority signs here, and it asks nobody.
  const global = `{
  admin off
  local_certs
  skip_install_trust
  auto_https disable_redirects
  https_port ${port}
}
`
  const file = join(folder, 'Caddyfile')
  await writeFile(file, global + (await sample('caddy/Caddyfile')))
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    XDG_DATA_HOME: folder,
    HUB_HOST: hubHost,
    FILES_HOST: filesHost,
    HUB_UPSTREAM: `127.0.0.1:${upstreams.hub}`,
    READER_UPSTREAM: `127.0.0.1:${upstreams.reader}`,
  }
  const args = ['run', '--config', file, '--adapter', 'caddyfile']
  return follow(spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] }), port)
}

/** Resolves when the proxy answers. */
async function follow(child: ChildProcess, port: number): Promise<Proxy> {
  let told = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    told += text
  })
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}:\n${told}`)
    const answer = await sendTls(port, hubHost, 'GET', '/healthz').catch(() => null)
    if (answer?.status === 200) return { port, end }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await end()
  throw new Error(`the proxy does not answer:\n${told}`)
}

interface SendOptions {
  headers?: Record<string, string>
  body?: string | Buffer
}

async function sendTls(
  port: number,
  host: string,
  method: string,
  path: string,
  { headers = {}, body }: SendOptions = {},
): Promise<Answer> {
  const req = request({
    host: '127.0.0.1',
    port,
    servername: host,
    method,
    path,
    headers: {
      host,
      ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
      ...headers,
    },
    rejectUnauthorized: false,
    agent: false,
  })
  const answered = once(req, 'response') as Promise<[import('node:http').IncomingMessage]>
  // A refusal may come before all of the body was taken; then the rest is not.
  answered.then(
    () => req.on('error', () => undefined),
    () => undefined,
  )
  if (headers.expect === undefined) req.end(body)
  else req.on('continue', () => req.end(body)).flushHeaders()
  const [res] = await answered
  return { status: res.statusCode ?? 0, headers: res.headers, body: await buffer(res) }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
