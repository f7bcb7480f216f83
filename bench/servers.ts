import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** One server under measurement: a process of its own on the first core, over a folder of its own. */
export interface BenchServer {
  readonly name: string
  readonly url: string
  /** The most memory that the process has had resident, in MiB; `null` where the system does not tell. */
  peakMemoryMib(): Promise<number | null>
  /** User and system time that the process has used, in seconds; `null` where the system does not tell. */
  cpuSeconds(): Promise<number | null>
  stop(): Promise<void>
}

export type Durability = 'fsync' | 'none'

/** Name that tokens are made out to. */
export const serverName = 'bench.example'

const folders: string[] = []

async function makeBenchFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `mandate-bench-${name}-`))
  folders.push(folder)
  return folder
}

/**
 * Removes what servers have written, once all of them have been measured: for a minute ext4 passes by the inodes of files
 * that are removed, so each new file that comes meanwhile costs many times as much.
 */
export async function removeBenchFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
}

const scriptOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))

export async function startBare(durability: Durability): Promise<BenchServer> {
  const root = await makeBenchFolder('bare')
  const port = await freePort()
  return start('bare', [scriptOf('./bare-server.js'), String(port), root, durability], port)
}

export interface HubProcesses {
  /** Processes that serve. */
  workers?: number
  /** Whether they may run on any core, beside the load. */
  anyCore?: boolean
}

export async function startHub(durability: Durability, processes: HubProcesses = {}): Promise<BenchServer> {
  const { workers = 1, anyCore = false } = processes
  const root = await makeBenchFolder('hub')
  const port = await freePort()
  const config = join(root, 'config.json')
  const settings = {
    serverName,
    port,
    host: '127.0.0.1',
    driver: 'disk',
    readURL: 'http://127.0.0.1:1/',
    maxFileUploadSize: 256,
    diskSettings: { storageRootDirectory: join(root, 'data'), durability },
    limits: { maxSocketsPerPeer: 0 },
    metrics: { port: 0 },
    workers,
  }
  await writeFile(config, JSON.stringify(settings))
  return start('hub', [scriptOf('../deploy/process/bin/mandate-hub.js'), '--config', config], port, anyCore)
}

/** Hub and reader in one process, which may run on any core. */
export async function startServe(): Promise<BenchServer> {
  const root = await makeBenchFolder('serve')
  const [port, readerPort] = [await freePort(), await freePort()]
  const config = join(root, 'config.json')
  const settings = {
    serverName,
    host: '127.0.0.1',
    hub: { port },
    reader: { port: readerPort },
    readURL: `http://127.0.0.1:${readerPort}/`,
    driver: 'disk',
    maxFileUploadSize: 2048,
    diskSettings: { storageRootDirectory: join(root, 'data') },
    metrics: { enabled: false },
  }
  await writeFile(config, JSON.stringify(settings))
  const script = scriptOf('../deploy/process/bin/mandate-serve.js')
  return start('serve', [script, '--config', config], port, true)
}

async function start(name: string, args: string[], port: number, anyCore = false): Promise<BenchServer> {
  const child = spawnPinned(args, anyCore)
  const url = `http://127.0.0.1:${port}`
  await waitUntilAnswering(url, child)
  const proc = (file: string) => readFile(`/proc/${child.pid}/${file}`, 'utf8').catch(() => null)
  return {
    name,
    url,
    async peakMemoryMib() {
      const kib = /VmHWM:\s+(\d+) kB/.exec((await proc('status')) ?? '')?.[1]
      return kib === undefined ? null : Number(kib) / 1024
    },
    async cpuSeconds() {
      const fields = (await proc('stat'))?.split(') ')[1]?.split(' ')
      // utime and stime of proc(5), in ticks of 1/100 s.
      return fields === undefined ? null : (Number(fields[11]) + Number(fields[12])) / 100
    },
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

/** The server has the first core for itself where `taskset` is there; the load runs on the others. */
function spawnPinned(args: string[], anyCore: boolean): ChildProcess {
  const [command, ...rest] =
    anyCore || process.env.MANDATE_BENCH_PIN === 'none'
      ? [process.execPath, ...args]
      : ['taskset', '-c', '0', process.execPath, ...args]
  return spawn(command ?? process.execPath, rest, { stdio: ['ignore', 'ignore', 'inherit'] })
}

async function waitUntilAnswering(url: string, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`)
    const isUp = await fetch(`${url}/hub_info`).then(
      () => true,
      () => false,
    )
    if (isUp) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`no answer from ${url}`)
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
