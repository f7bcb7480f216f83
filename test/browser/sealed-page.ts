/** The script of a page on which somebody has keys of their own, none of them extractable. */
import { connect, generateSigner, MandateError } from '../../client/index.ts'
import { fromBase64url } from '../../client/seal/bytes.ts'
import { toBytes } from '../../client/seal/chunks.ts'
import { checkHashes, layoutOf, openFrames } from '../../client/seal/frames.ts'
import {
  generateOpeningKey,
  importOpeningKey,
  type SealedFiles,
  sealedFiles,
  stacksOpeningKey,
} from '../../client/seal/index.ts'
import { openEnvelope, readEnvelope } from '../../client/seal/read-envelope.ts'
import { stacksSigner } from '../../client/signers/stacks-signer.ts'

interface Vectors {
  openingKeys: { privateKey?: string; privateKeyHex?: string }[]
  files: { address: string; path: string; plain: string; envelope: string; content: string }[]
}

let files: SealedFiles | undefined

function mine(): SealedFiles {
  if (files === undefined) throw new Error('join first')
  return files
}

async function join(hub: string, kind: 'P-256' | 'Ed25519'): Promise<{ did: string; address: string }> {
  const key = await generateOpeningKey(kind === 'P-256' ? 'P-256' : 'X25519')
  const connection = await connect({ hub, signer: await generateSigner(kind) })
  files = sealedFiles(connection, { keys: [key] })
  await files.publishKeys({ key })
  return { did: connection.did, address: connection.address }
}

async function put(path: string, text: string, sealFor: string[]): Promise<void> {
  await mine().put(path, text, { sealFor, overwrite: true })
}

async function unshare(path: string, did: string): Promise<void> {
  await mine().unshare(path, [did])
}

/** The text, or why it does not open. */
async function get(address: string, path: string): Promise<string> {
  try {
    return (await mine().at(address).get(path)).text()
  } catch (error) {
    if (error instanceof MandateError) return error.code
    throw error
  }
}

async function shared(by: string): Promise<string[]> {
  const paths: string[] = []
  for await (const { path } of mine().sharedWithMe([by])) paths.push(path)
  return paths
}

async function openVectors(json: string): Promise<{ opened: number; files: number }> {
  const vectors = JSON.parse(json) as Vectors
  let opened = 0
  for (const { privateKey = '', privateKeyHex } of vectors.openingKeys) {
    const key =
      privateKeyHex === undefined
        ? await importOpeningKey(privateKey)
        : stacksOpeningKey(stacksSigner(privateKeyHex))
    for (const file of vectors.files) {
      const envelope = await readEnvelope(file.envelope, file)
      const { keys } = (await openEnvelope(envelope, [key])) ?? {}
      if (keys === undefined) continue
      const { size, frame, digest } = envelope.content
      const { frames, framesBytes } = layoutOf(size, frame)
      const content = fromBase64url(file.content)
      const hashes = content.slice(framesBytes)
      await checkHashes(hashes, digest)
      const source = (async function* () {
        yield content.slice(0, framesBytes)
      })()
      const plain = await toBytes(
        openFrames(source, keys.frames, { frame, size, first: 0, end: frames, hashes }),
      )
      if (String(plain) === String(fromBase64url(file.plain))) opened += 1
    }
  }
  return { opened, files: vectors.files.length }
}

const sealedPage = { join, put, unshare, get, shared, openVectors }
export type SealedPage = typeof sealedPage
Object.assign(globalThis, { sealedPage })
