import type { StacksSigner } from '../signers/signer.ts'
import { type CipherObject, decryptEcies, encryptEcies, isCipherObject } from './ecies.ts'
import { StacksFileError } from './errors.ts'
import { isSignature, signContent, verifyContent } from './signature.ts'

/** What somebody stored with `@stacks/storage`: a text stays one. */
export type StacksContent = string | Uint8Array<ArrayBuffer>

const utf8 = new TextEncoder()

/**
 * Opens what `@stacks/storage` encrypted, signed or not.
 * @param text the file: JSON
 * @param signedBy the address whose owner must have signed it; `null` to take it unsigned or unchecked
 * @throws {StacksFileError}
 */
export async function openStacksContent(
  text: string,
  privateKeyHex: string,
  signedBy: string | null = null,
): Promise<StacksContent> {
  const sealed = signedBy === null ? cipherObjectIn(text) : verifiedIn(text, signedBy)
  const bytes = await decryptEcies(privateKeyHex, sealed)
  return sealed.wasString ? new TextDecoder().decode(bytes) : bytes
}

/**
 * Encrypts as `@stacks/storage` does.
 * @param publicKeyHex whose key opens it
 * @param signer signs it too, where one is given
 */
export async function sealStacksContent(
  content: StacksContent,
  publicKeyHex: string,
  options: { signer?: StacksSigner | undefined; encoding?: 'hex' | 'base64' | undefined } = {},
): Promise<string> {
  const { signer, encoding = 'hex' } = options
  const bytes = typeof content === 'string' ? utf8.encode(content) : content
  const sealed = await encryptEcies(publicKeyHex, bytes, { wasString: typeof content === 'string', encoding })
  const cipherText = JSON.stringify(sealed)
  if (signer === undefined) return cipherText
  return JSON.stringify({ ...signContent(signer, utf8.encode(cipherText)), cipherText })
}

/** The signed form holds the cipher object as a text. */
function cipherObjectIn(text: string): CipherObject {
  const outer = parse(text)
  const value = isSignature(outer) ? parse(innerText(outer)) : outer
  if (!isCipherObject(value)) throw notEncrypted()
  return value
}

function verifiedIn(text: string, address: string): CipherObject {
  const outer = parse(text)
  if (!isSignature(outer)) throw new StacksFileError('not-signed', 'the file is not signed')
  const inner = innerText(outer)
  verifyContent(utf8.encode(inner), outer, address)
  return cipherObjectIn(inner)
}

function innerText(outer: object): string {
  const { cipherText } = outer as { cipherText?: unknown }
  if (typeof cipherText !== 'string') throw notEncrypted()
  return cipherText
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notEncrypted(cause)
  }
}

function notEncrypted(cause?: unknown): StacksFileError {
  return new StacksFileError('not-encrypted', 'the file is not one that @stacks/storage encrypted', { cause })
}
