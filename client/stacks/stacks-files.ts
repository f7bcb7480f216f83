import type { Connection } from '../connection.ts'
import { InvalidInputError, NotFoundError } from '../errors.ts'
import type { FileInfo } from '../files/file.ts'
import type { PutOptions, PutResult } from '../files/put.ts'
import type { GetOptions } from '../files/read.ts'
import { isStacksSigner, type StacksSigner } from '../signers/signer.ts'
import { StacksFileError } from './errors.ts'
import { isSignature, signContent, verifyContent } from './signature.ts'
import { openStacksContent, type StacksContent, sealStacksContent } from './stacks-content.ts'

/** Where a plain file's signature is. */
const signatureSuffix = '.sig'

/** How a file of `@stacks/storage` is read: the options of its `getFile`. */
export interface GetStacksOptions extends Pick<GetOptions, 'signal' | 'onProgress' | 'maxBytes'> {
  /** Whether it was encrypted. True by default, as there. */
  decrypt?: boolean
  /** Whether the owner of the bucket must have signed it. False by default, as there. */
  verify?: boolean
  /** The key that opens it; by default the connection's own, where that is a Stacks key. */
  key?: StacksSigner
}

/** A file of `@stacks/storage`, opened. */
export interface StacksFile extends FileInfo {
  readonly content: StacksContent
}

/** How a file is stored for `@stacks/storage`: the options of its `putFile`. */
export interface PutStacksOptions extends Omit<PutOptions, 'size'> {
  /** For the own key (`true`, the default), for that of somebody else (66 hex digits), or not at all. */
  encrypt?: boolean | string
  /** Whether to sign it too. False by default, as there. */
  sign?: boolean
  /** How the encrypted bytes are written: `hex` by default, as there; `base64` takes a third less. */
  cipherTextEncoding?: 'hex' | 'base64'
  /** The key; by default the connection's own, where that is a Stacks key. */
  key?: StacksSigner
}

/**
 * Reads a file that `@stacks/storage` stored, of any version that encrypts with ECIES.
 * @throws {StacksFileError} where it does not open
 * @throws {NotFoundError}
 */
export async function getStacksFile(
  connection: Connection,
  path: string,
  options: GetStacksOptions = {},
): Promise<StacksFile> {
  const { decrypt = true, verify = false, key, ...read } = options
  const file = await connection.get(path, read)
  if (decrypt) {
    const { privateKeyHex } = keyOf(connection, key)
    const content = await openStacksContent(file.text(), privateKeyHex, verify ? connection.address : null)
    return { ...infoOf(file), content }
  }
  if (verify) await verifyBeside(connection, path, file.bytes, read)
  const isText = /^(?:text|application\/json)/i.test(file.contentType)
  return { ...infoOf(file), content: isText ? file.text() : file.bytes }
}

function infoOf({ path, etag, size, contentType, modifiedMs }: FileInfo): FileInfo {
  return { path, etag, size, contentType, modifiedMs }
}

/**
 * Stores a file so that `@stacks/storage` reads it. What is not seen is not overwritten, as with `put`.
 *
 * A plain file's signature is a file of its own beside it, `<path>.sig`, stored after it: between the two a reader
 * that verifies refuses the pair.
 */
export async function putStacksFile(
  connection: Connection,
  path: string,
  content: string | Uint8Array,
  options: PutStacksOptions = {},
): Promise<PutResult> {
  const { encrypt = true, sign = false, cipherTextEncoding, key, ...put } = options
  const given = typeof content === 'string' ? content : Uint8Array.from(content)
  const signer = sign ? keyOf(connection, key) : undefined
  if (encrypt === false) return putPlain(connection, path, given, put, signer)
  const publicKeyHex = encrypt === true ? keyOf(connection, key).publicKeyHex : encrypt
  const sealed = await sealStacksContent(given, publicKeyHex, { signer, encoding: cipherTextEncoding })
  return connection.put(path, sealed, { ...put, contentType: 'application/json' })
}

async function putPlain(
  connection: Connection,
  path: string,
  content: StacksContent,
  options: PutOptions,
  signer: StacksSigner | undefined,
): Promise<PutResult> {
  const result = await connection.put(path, content, options)
  if (signer === undefined) return result
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  await connection.put(path + signatureSuffix, JSON.stringify(signContent(signer, bytes)), {
    signal: options.signal,
    contentType: 'application/json',
    overwrite: true,
  })
  return result
}

async function verifyBeside(
  connection: Connection,
  path: string,
  bytes: Uint8Array,
  options: Pick<GetOptions, 'signal'>,
): Promise<void> {
  const signature = await readSignature(connection, path + signatureSuffix, options)
  if (!isSignature(signature)) throw new StacksFileError('not-signed', `"${path}" has no signature beside it`)
  verifyContent(bytes, signature, connection.address)
}

/** `null` where there is none. */
async function readSignature(
  connection: Connection,
  path: string,
  { signal }: Pick<GetOptions, 'signal'>,
): Promise<unknown> {
  try {
    return (await connection.get(path, { signal, maxBytes: 65_536 })).json()
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof SyntaxError) return null
    throw error
  }
}

function keyOf(connection: Connection, key: StacksSigner | undefined): StacksSigner {
  const found = key ?? connection.transport.signer
  if (isStacksSigner(found)) return found
  throw new InvalidInputError('a file of @stacks/storage needs a Stacks key: pass it as "key"')
}
