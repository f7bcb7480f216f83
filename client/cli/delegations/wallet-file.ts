import { mkdir, readFile, rm, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Wallet } from '../../delegation/wallet.ts'
import { memoryStorage, type WalletStorage } from '../../delegation/wallet-storage.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { writePrivateFile } from '../files/private-file.ts'

const fileName = 'delegations.json'
const itemName = 'mandate-wallet'

/** How long to wait for another run that changes the wallet, and after which a lock is one that a crash left. */
const lockWaitMs = 5_000
const lockStaleMs = 10_000

/** The delegations received, as they are now; what a connection notes in it stays in this run. */
export async function readWallet({ folder, now }: CliContext): Promise<Wallet> {
  const storage = memoryStorage()
  const json = await readJson(folder)
  if (json !== null) void storage.setItem(itemName, json)
  return new Wallet({ storage, key: itemName, now })
}

/** Changes the wallet; one run at a time, so that no two lose each other's delegation. */
export async function changeWallet<T>(
  context: CliContext,
  change: (wallet: Wallet) => Promise<T>,
): Promise<T> {
  const { folder, now } = context
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lock = join(folder, '.delegations.lock')
  await takeLock(lock)
  try {
    return await change(new Wallet({ storage: fileStorage(folder), key: itemName, now }))
  } finally {
    await rmdir(lock)
  }
}

function fileStorage(folder: string): WalletStorage {
  return {
    getItem: () => readJson(folder),
    setItem: (_key, json) => writePrivateFile(join(folder, fileName), `${json}\n`, 'replace'),
    removeItem: () => rm(join(folder, fileName), { force: true }),
  }
}

function readJson(folder: string): Promise<string | null> {
  return readFile(join(folder, fileName), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
}

async function takeLock(lock: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < lockWaitMs; waitedMs += 50) {
    try {
      await mkdir(lock)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    if (await isStale(lock)) await rmdir(lock).catch(() => undefined)
    await sleep(50)
  }
  throw new CliError('failed', `another run is changing the delegations received; if none is, remove ${lock}`)
}

async function isStale(lock: string): Promise<boolean> {
  const info = await stat(lock).catch(() => null)
  return info !== null && Date.now() - info.mtimeMs > lockStaleMs
}
