import { CliError } from '../cli-error.ts'

/** Under what the system's keyring lists the secrets. */
const service = 'mandate'

/** The system's keyring: the Keychain of macOS, the Secret Service of a Linux desktop. */
export interface Keyring {
  /** @throws {CliError} `key` where there is no keyring, or it stays locked */
  read(name: string): string | null
  write(name: string, secret: string): void
  remove(name: string): void
}

export function systemKeyring(): Promise<Keyring> {
  return openKeyring()
}

async function openKeyring(): Promise<Keyring> {
  const { Entry } = await import('@napi-rs/keyring').catch((error: unknown) => {
    throw noKeyring(error)
  })
  // The library would fall back to the kernel's keys, which are gone after a restart: a key must not be.
  const entryOf = (name: string) => new Entry(service, name, { linux: { store: 'secret-service' } })
  return {
    read: (name) => inKeyring(() => entryOf(name).getPassword()),
    write: (name, secret) => inKeyring(() => entryOf(name).setPassword(secret)),
    remove: (name) => {
      inKeyring(() => entryOf(name).deletePassword())
    },
  }
}

function inKeyring<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw noKeyring(error)
  }
}

function noKeyring(cause: unknown): CliError {
  const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : ''
  return new CliError('key', `the system's keyring cannot be used${why === '' ? '' : `: ${why}`}`, {
    cause,
    hint: 'On Linux it needs the Secret Service of a desktop session. Without it, keep the key in a file: --store file.',
  })
}
