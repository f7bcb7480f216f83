/**
 * A page that somebody owns a bucket from, or writes from to another's. Its calls are what the tests ask it to do;
 * the key never leaves it.
 */
import {
  type Connection,
  connect,
  Delegation,
  generateSigner,
  MandateError,
  type Progress,
  Wallet,
} from '../../../client/index.ts'
import { generateOpeningKey, type SealedFiles, sealedFiles } from '../../../client/seal/index.ts'

/** What became of a call, as something that can be handed out of the page. */
export interface Outcome<Value> {
  value?: Value
  /** Code of the error. */
  refused?: string
  message?: string
}

/** Somebody in a browser. */
export interface Dapp {
  /** Makes a P-256 key that nobody can read, and connects. @returns the did:key and the address of the key */
  begin(hub: string): Promise<{ did: string; address: string; isExtractable: boolean }>
  put(path: string, bytes: number, at?: string): Promise<Outcome<{ etag: string; progress: Progress[] }>>
  text(path: string, at?: string): Promise<Outcome<string>>
  delegate(to: string, path: string): Promise<string>
  receive(text: string): Promise<string>
  revoke(text: string): Promise<string>
  /** Makes a key to open with, and tells everybody. */
  publishKey(): Promise<void>
  sealFor(path: string, text: string, recipients: string[]): Promise<void>
  opens(path: string, at: string): Promise<Outcome<string>>
  unshare(path: string, recipient: string): Promise<void>
}

let own: Connection | undefined
let sealed: SealedFiles | undefined
const wallet = new Wallet()

function connection(at?: string): Connection {
  if (own === undefined) throw new Error('the page has not begun')
  return at === undefined ? own : own.at(at)
}

function seals(at?: string): SealedFiles {
  if (sealed === undefined) throw new Error('the page has published no key')
  return at === undefined ? sealed : sealed.at(at)
}

async function outcome<Value>(work: () => Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { value: await work() }
  } catch (error) {
    if (error instanceof MandateError) return { refused: error.code, message: error.message }
    throw error
  }
}

const dapp: Dapp = {
  async begin(hub) {
    const signer = await generateSigner('P-256')
    own = await connect({ hub, signer, wallet })
    return {
      did: signer.did(),
      address: own.address,
      isExtractable: signer.keyPair.privateKey.extractable,
    }
  },
  put: (path, bytes, at) =>
    outcome(async () => {
      const progress: Progress[] = []
      const data = new Blob(['x'.repeat(bytes)], { type: 'text/plain' })
      const { etag } = await connection(at).put(path, data, {
        onProgress: (now) => progress.push({ ...now }),
      })
      return { etag, progress }
    }),
  text: (path, at) => outcome(async () => (await connection(at).get(path)).text()),
  async delegate(to, path) {
    const delegation = await connection().delegate({ to, path, can: ['gaia/store'], expires: '1h' })
    return delegation.toUrl(location.href)
  },
  async receive(text) {
    return (await wallet.add(text)).cid
  },
  revoke: (text) => connection().revoke(Delegation.parse(text)),
  async publishKey() {
    const key = await generateOpeningKey()
    sealed = sealedFiles(connection(), { keys: [key] })
    await sealed.publishKeys({ key })
  },
  async sealFor(path, text, recipients) {
    await seals().put(path, text, { sealFor: recipients.map((address) => ({ address })) })
  },
  opens: (path, at) => outcome(async () => (await seals(at).get(path)).text()),
  async unshare(path, recipient) {
    await seals().unshare(path, [{ address: recipient }])
  },
}

Object.assign(globalThis, { dapp })
