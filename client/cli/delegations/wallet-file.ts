import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Wallet } from '../../delegation/wallet.ts'
import { memoryStorage, type WalletStorage } from '../../delegation/wallet-storage.ts'
import type { CliContext } from '../context.ts'
import { withLock } from '../files/lock.ts'
import { writePrivateFile } from '../files/private-file.ts'

const fileName = 'delegations.json'
const itemName = 'mandate-wallet'

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
  return withLock(join(folder, '.delegations.lock'), () =>
    change(new Wallet({ storage: fileStorage(folder), key: itemName, now })),
  )
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
