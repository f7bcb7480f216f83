import { constants } from 'node:fs'
import { access, chmod, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../cli-error.ts'
import { withLock } from '../files/lock.ts'
import { writePrivateFile } from '../files/private-file.ts'
import type { Keyring } from './keyring.ts'
import { type KeyKind, keyKinds } from './kinds.ts'
import { isOpeningText } from './opening.ts'
import { type PublicKey, publicKeyOf, type Secret } from './secret.ts'

/** Where the secret half is kept. */
export type SecretPlace = 'file' | 'keyring'

/** A key by name. The secret is read only where it is needed. */
export interface StoredKey extends PublicKey {
  readonly name: string
  readonly place: SecretPlace
}

export interface KeyStoreOptions {
  /** Folder of one file for each key, mode 0700; made when the first key is stored. */
  folder: string
  openKeyring: () => Promise<Keyring>
}

/** Keys by name: one file each, mode 0600, which holds the secret or says that the keyring has it. */
export class KeyStore {
  readonly #folder: string
  readonly #openKeyring: () => Promise<Keyring>

  constructor({ folder, openKeyring }: KeyStoreOptions) {
    this.#folder = folder
    this.#openKeyring = openKeyring
  }

  /** In order of their names. */
  async list(): Promise<StoredKey[]> {
    const names = await readdir(this.#folder).catch((error: unknown) => {
      if (isAbsent(error)) return []
      throw error
    })
    const keys = names.filter((name) => name.endsWith('.json')).sort()
    return Promise.all(keys.map(async (file) => (await this.#read(file.slice(0, -'.json'.length))).key))
  }

  /** @returns null where there is no such key */
  async find(name: string): Promise<StoredKey | null> {
    if (!isKeyName(name)) return null
    const isThere = await access(this.#file(name), constants.F_OK).then(
      () => true,
      () => false,
    )
    return isThere ? (await this.#read(name)).key : null
  }

  async secretOf(key: StoredKey): Promise<Secret> {
    const { secret } = await this.#read(key.name)
    if (secret !== null) return secret
    const text = (await this.#openKeyring()).read(key.name)
    if (text === null) {
      throw new CliError('key', `the system's keyring has no secret of the key ${key.name} any more`)
    }
    return checkedSecret(parseJson(text), key)
  }

  /** @throws {CliError} `conflict` where the name is taken: a key is never overwritten */
  async add(name: string, kind: KeyKind, secret: Secret, place: SecretPlace): Promise<StoredKey> {
    checkKeyName(name)
    if ((await this.find(name)) !== null) throw nameTaken(name)
    const key: StoredKey = { name, place, ...publicKeyOf(kind, secret) }
    if (place === 'keyring') (await this.#openKeyring()).write(name, JSON.stringify(secret))
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    await chmod(this.#folder, 0o700)
    const isNew = await writePrivateFile(this.#file(name), recordText(key, secret), 'create')
    if (!isNew) throw nameTaken(name)
    return key
  }

  /** Changes what is kept of a key beside its private half; one run at a time. */
  async change(key: StoredKey, change: (secret: Secret) => Promise<Secret>): Promise<Secret> {
    return withLock(join(this.#folder, `.${key.name}.lock`), async () => {
      const secret = await change(await this.secretOf(key))
      if (key.place === 'keyring') (await this.#openKeyring()).write(key.name, JSON.stringify(secret))
      else await writePrivateFile(this.#file(key.name), recordText(key, secret), 'replace')
      return secret
    })
  }

  async remove(key: StoredKey): Promise<void> {
    if (key.place === 'keyring') (await this.#openKeyring()).remove(key.name)
    await rm(this.#file(key.name))
  }

  #file(name: string): string {
    return join(this.#folder, `${name}.json`)
  }

  async #read(name: string): Promise<{ key: StoredKey; secret: Secret | null }> {
    const file = this.#file(name)
    const { mode } = await stat(file)
    // As ssh does: a secret that others could read is not used until that is mended.
    if ((mode & 0o077) !== 0) {
      throw new CliError('key', `others can read the key file ${file}`, {
        hint: `Mend it: chmod 600 '${file}'`,
      })
    }
    const record = parseJson(await readFile(file, 'utf8'))
    return {
      key: checkedKey(record, name, file),
      secret:
        record.secret === undefined ? null : checkedSecret(record.secret, checkedKey(record, name, file)),
    }
  }
}

function recordText(key: StoredKey, secret: Secret): string {
  const record = { version: 1, ...key, ...(key.place === 'file' ? { secret } : {}) }
  return `${JSON.stringify(record, null, 2)}\n`
}

/** Short, and nothing that a shell or a path takes for something else. An address is none: a name must not pass for one. */
export function isKeyName(name: string): boolean {
  return /^[a-z][a-z0-9._-]{0,23}$/i.test(name)
}

function checkKeyName(name: string): void {
  if (isKeyName(name)) return
  throw new CliError(
    'usage',
    'the name of a key begins with a letter and has at most 24 letters, digits, dots, hyphens and underscores',
  )
}

function nameTaken(name: string): CliError {
  return new CliError('conflict', `there is a key named ${name} already`, {
    hint: `See it with: mandate key show ${name}. Keys are never overwritten; choose another name.`,
  })
}

function checkedKey(record: Record<string, unknown>, name: string, file: string): StoredKey {
  const { kind, did, address, place } = record
  const isKind = (keyKinds as readonly unknown[]).includes(kind)
  if (
    !isKind ||
    typeof did !== 'string' ||
    typeof address !== 'string' ||
    (place !== 'file' && place !== 'keyring')
  ) {
    throw new CliError('key', `the key file ${file} is not one of this program`)
  }
  return { name, kind: kind as KeyKind, did, address, place }
}

function checkedSecret(record: unknown, key: StoredKey): Secret {
  const { privateKey, phrase, path, openings, rotating } = record as Record<string, unknown>
  if (typeof privateKey !== 'string' || !/^[0-9a-f]{64}$/.test(privateKey)) {
    throw new CliError('key', `the secret of the key ${key.name} is damaged`)
  }
  const secret = {
    privateKey,
    ...(typeof phrase === 'string' ? { phrase } : {}),
    ...(typeof path === 'string' ? { path } : {}),
    ...(openings === undefined ? {} : { openings: checkedOpenings(openings, key) }),
    ...(rotating === true ? { rotating: true as const } : {}),
  }
  if (publicKeyOf(key.kind, secret).did !== key.did) {
    throw new CliError('key', `the secret of the key ${key.name} is that of another key`)
  }
  return secret
}

function checkedOpenings(openings: unknown, { name }: StoredKey): string[] {
  if (Array.isArray(openings) && openings.every((one) => isOpeningText(String(one))))
    return openings.map(String)
  throw new CliError('key', `what opens sealed files for the key ${name} is damaged`)
}

/** Without the parser's message, which would quote what stands there. */
function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, like any other text that is no record.
  }
  throw new CliError('key', 'a record of a key is damaged: it is not JSON')
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
