import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BlobServiceClient, type ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'

/** Azurite's blob server: keeps everything in memory and enforces conditions. */
export interface Azurite {
  readonly endpoint: string
  readonly accountName: string
  readonly accountKey: string
  readonly connectionString: string
  /** A container that nobody uses yet; not made. */
  newContainer(): ContainerClient
  stop(): Promise<void>
  /** Lets this process end while the server runs: it ends with it. */
  letGo(): void
}

/** Given to the server at its start, so it opens nothing else. */
const accountName = 'mandatetests'
const accountKey = randomBytes(32).toString('base64')

const startMs = 15_000

/** Starts a server of its own on a free port. Fails, with what the server said, when it does not come up. */
export async function startAzurite(): Promise<Azurite> {
  const folder = await mkdtemp(join(tmpdir(), 'mandate-azurite-'))
  const child = spawnServer(folder)
  const stop = async (): Promise<void> => {
    child.stdin?.end()
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    await rm(folder, { recursive: true, force: true })
  }
  const letGo = (): void => {
    child.unref()
    for (const stream of child.stdio) (stream as Partial<Socket> | null)?.unref?.()
  }
  try {
    return azurite(await waitForUrl(child), { stop, letGo })
  } catch (error) {
    await stop()
    throw error
  }
}

function spawnServer(cwd: string): ChildProcess {
  const main = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js')
  const options = '--blobHost 127.0.0.1 --blobPort 0 --inMemoryPersistence --silent --disableTelemetry'
  // Without the last one it refuses every request of an SDK that is newer than itself.
  const command = [process.execPath, main, ...options.split(' '), '--skipApiVersionCheck']
  return spawn('sh', ['-c', untilInputEnds, 'sh', cwd, ...command], {
    cwd,
    env: { ...process.env, AZURITE_ACCOUNTS: `${accountName}:${accountKey}` },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/** Runs a command until standard input ends, however this process ends, and removes its folder. */
const untilInputEnds = 'folder=$1; shift; "$@" & read -r _; kill -9 $!; wait; cd /; rm -rf "$folder"'

/** The server prints where it listens, and is told port 0, so that no other process can take the port meanwhile. */
function waitForUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (reason: string): void => reject(new Error(`azurite did not start: ${reason}\n${said}`))
    const timer = setTimeout(() => fail(`nothing for ${startMs} ms`), startMs)
    const hear = (chunk: Buffer): void => {
      said = (said + chunk.toString()).slice(0, 10_000)
      const [, url] = /successfully listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(said) ?? []
      if (url === undefined) return
      clearTimeout(timer)
      resolve(url)
    }
    child.stdout?.on('data', hear)
    child.stderr?.on('data', hear)
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code) => fail(`it ended with ${code}`))
  })
}

function azurite(url: string, ending: Pick<Azurite, 'stop' | 'letGo'>): Azurite {
  const endpoint = `${url}/${accountName}`
  const service = new BlobServiceClient(endpoint, new StorageSharedKeyCredential(accountName, accountKey))
  return {
    endpoint,
    accountName,
    accountKey,
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${accountName};AccountKey=${accountKey};BlobEndpoint=${endpoint};`,
    newContainer: () => service.getContainerClient(`test-${randomBytes(8).toString('hex')}`),
    ...ending,
  }
}
