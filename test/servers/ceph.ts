import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

/** A running S3 server, and who may use it. */
export interface S3Server {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

// The script lies in the source tree; this module runs from a build folder beside it.
const script = fileURLToPath(new URL('../../../test/servers/ceph.sh', import.meta.url))
const startMs = 60_000

let running: Promise<S3Server> | undefined

/**
 * The Ceph object gateway of this test run: installed where it is missing, started when first asked for, and
 * gone with this process. Rejects with the reason when it cannot be had.
 */
export function cephServer(): Promise<S3Server> {
  running ??= start()
  return running
}

/** Installing takes half a minute on a machine that has no Ceph yet. */
export const installMs = 300_000

async function start(): Promise<S3Server> {
  install()
  const accessKeyId = `key${randomBytes(6).toString('hex')}`
  const secretAccessKey = randomBytes(16).toString('hex')
  const [monitorPort, port] = await freePorts()
  const folder = join(tmpdir(), `mandate-ceph-${randomBytes(6).toString('hex')}`)
  const child = spawn(script, ['run', folder, String(monitorPort), String(port)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, CEPH_ACCESS_KEY: accessKeyId, CEPH_SECRET_KEY: secretAccessKey },
  })
  await ready(child)
  letGo(child)
  return { endpoint: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey }
}

function install(): void {
  const { status, stderr, error } = spawnSync(script, ['install'], {
    encoding: 'utf8',
    timeout: installMs,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`Ceph cannot be installed: ${stderr.trim() || String(error)}`)
}

function ready(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    const late = setTimeout(() => {
      child.stdin.end()
      reject(new Error(`Ceph did not start within ${startMs} ms: ${said}`))
    }, startMs)
    const settle = (then: () => void) => {
      clearTimeout(late)
      then()
    }
    child.stderr.on('data', (chunk: Buffer) => {
      said = (said + String(chunk)).slice(-4000)
    })
    child.stdout.on('data', (chunk: Buffer) => {
      if (String(chunk).includes('ready')) settle(resolve)
    })
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', () => settle(() => reject(new Error(`Ceph did not start: ${said}`))))
  })
}

/** Lets this process end while the server runs: its standard input ends then, and that ends the server. */
function letGo(child: ChildProcessByStdio<Writable, Readable, Readable>): void {
  child.unref()
  for (const stream of child.stdio) {
    if (stream && 'unref' in stream && typeof stream.unref === 'function') stream.unref()
  }
}

/** Two ports that nobody listens on now. Ceph cannot be told to take any that is free. */
async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()]
  const ports = await Promise.all(servers.map(listen))
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  const [first, second] = ports
  if (first === undefined || second === undefined) throw new Error('no free port')
  return [first, second]
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (address === null || typeof address === 'string') reject(new Error('no port'))
      else resolve(address.port)
    })
  })
}
