import { type Bin, type BinProcess, endBins, startBin } from '../deploy/bins.ts'
import { serverName } from '../hub/tokens.ts'

/** A server that runs as a process of its own. */
export interface ServerProcess {
  /** Without a slash at its end. */
  readonly url: string
  /** Sends a signal and resolves when the process is gone and its sockets with it. */
  end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void>
}

/** What of a configuration names a storage: `driver`, `bucket`, … */
export type StorageSettings = Readonly<Record<string, unknown>>

/** A folder on disk, each write to which is synced. */
export function onDisk(storageRootDirectory: string): StorageSettings {
  return { diskSettings: { storageRootDirectory, durability: 'fsync' } }
}

/** Hubs and readers as processes over one storage. */
export class Fleet {
  readonly #storage: StorageSettings
  readonly #starting = new Set<Promise<unknown>>()
  #over = false

  constructor(storage: StorageSettings) {
    this.#storage = storage
  }

  /** Resolves when it listens. */
  hub(): Promise<ServerProcess> {
    return this.#start('mandate-hub', 'write at')
  }

  reader(): Promise<ServerProcess> {
    return this.#start('mandate-reader', 'read at')
  }

  /** Kills all that is left, also what is only about to start; nothing starts from now on. */
  async close(): Promise<void> {
    this.#over = true
    while (this.#starting.size > 0) await Promise.allSettled(this.#starting)
    await endBins()
  }

  #start(bin: Bin, label: string): Promise<ServerProcess> {
    const server = this.#run(bin, label)
    // One that a failed test no longer waits for is killed in its start; that is no failure of its own.
    server.catch(() => undefined)
    return server
  }

  async #run(bin: Bin, label: string): Promise<ServerProcess> {
    // A test that ran out of time goes on in the background.
    if (this.#over) throw new Error('the fleet is closed')
    const started = startBin(bin, { file: settings(this.#storage) })
    this.#starting.add(started)
    const running = await started.finally(() => this.#starting.delete(started))
    await running.until('stop ')
    return { url: urlIn(running, label), end: (signal) => end(running, signal) }
  }
}

function settings(storage: StorageSettings): unknown {
  const anywhere = { host: '127.0.0.1', port: 0 }
  return {
    ...storage,
    logLevel: 'warn',
    hub: {
      ...anywhere,
      serverName,
      readURL: 'https://files.example/',
      revocationMaxAge: revocationMaxAgeMs / 1000,
    },
    reader: anywhere,
  }
}

/** How long another hub's revocation may go unseen. */
export const revocationMaxAgeMs = 1000

function urlIn(running: BinProcess, label: string): string {
  const port = new RegExp(`${label} +http://localhost:([0-9]+)/`).exec(running.stderr())?.[1]
  if (port === undefined) throw new Error(`no "${label}" in ${running.stderr()}`)
  return `http://127.0.0.1:${port}`
}

async function end(running: BinProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  running.child.kill(signal)
  const status = await running.exit()
  if (signal === 'SIGTERM' && status !== 0) throw new Error(`ended with ${status}: ${running.stderr()}`)
}
