import { DelegationError } from './errors.ts'

/** Where a wallet keeps what it holds: `localStorage`, a file, or anything with these three. */
export interface WalletStorage {
  getItem(key: string): string | null | Promise<string | null>
  setItem(key: string, value: string): unknown
  removeItem(key: string): unknown
}

/** A delegation as it is kept. */
export interface WalletEntry {
  /** As `Delegation.toString()` gives it. */
  readonly text: string
  /** DIDs of the hubs at which it is known to be deposited. */
  readonly depositedAt: readonly string[]
}

/** A wallet holds so many at most: each is looked at for every request. */
export const maxEntries = 1_000
const maxWalletLength = 20_000_000

/** Keeps in memory. */
export function memoryStorage(): WalletStorage {
  const items = new Map<string, string>()
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => void items.set(key, value),
    removeItem: (key) => void items.delete(key),
  }
}

/** The JSON form of a wallet: `{version: 1, delegations: [{text, depositedAt}]}`. */
export function formatEntries(entries: readonly WalletEntry[]): string {
  return JSON.stringify({ version: 1, delegations: entries })
}

/** Reads {@link formatEntries}; what the texts hold is not looked at. @throws {DelegationError} `invalid-wallet` */
export function parseEntries(json: string): WalletEntry[] {
  if (json.length > maxWalletLength) throw invalid('it is too large')
  const { version, delegations } = readObject(json)
  if (version !== 1) throw invalid('it is of a version that this library does not know')
  if (!Array.isArray(delegations) || delegations.length > maxEntries) {
    throw invalid(`expected a list of at most ${maxEntries} delegations`)
  }
  return delegations.map(readEntry)
}

function readObject(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw invalid('expected a JSON object')
}

function readEntry(value: unknown): WalletEntry {
  const { text, depositedAt = [] } = (value ?? {}) as { text?: unknown; depositedAt?: unknown }
  if (typeof text !== 'string' || !isTextList(depositedAt)) {
    throw invalid('expected entries of the form {text, depositedAt}')
  }
  return { text, depositedAt }
}

function isTextList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function invalid(why: string): DelegationError {
  return new DelegationError('invalid-wallet', `this is no wallet of delegations: ${why}`)
}
