import { config } from '@stacks/common'
import { decryptContent, encryptContent } from '@stacks/encryption'
import { Storage, type StorageOptions } from '@stacks/storage'
import type { Person } from '../hub/people.ts'

// It would tell of every call on the console.
config.logLevel = 'none'

type UserSession = NonNullable<StorageOptions['userSession']>

/**
 * `@stacks/storage` for somebody who is signed in, unmodified; around it only as much of a session as it uses. Each
 * session remembers the etags that it has seen, as each device of a user does.
 */
export function signIn(user: Person, hubUrl: string): Storage {
  const appPrivateKey = user.privateKeyHex
  let session: unknown = { version: '1.0.0', etags: {}, userData: { appPrivateKey, hubUrl } }
  const userSession = {
    store: {
      getSessionData: () => session,
      setSessionData: (next: unknown) => {
        session = next
        return true
      },
    },
    loadUserData: () => (session as { userData: unknown }).userData,
    encryptContent: (content: string | Uint8Array, options: object) =>
      encryptContent(content, { privateKey: appPrivateKey, ...options }),
    decryptContent: (content: string, options: object) =>
      decryptContent(content, { privateKey: appPrivateKey, ...options }),
  }
  return new Storage({ userSession: userSession as unknown as UserSession })
}
