import { type SignatureState, verifySignature } from '../crypto/verify.ts'
import { InvalidInputError } from '../errors.ts'
import type { Signer } from '../signers/signer.ts'
import { type Bytes, fromBase64url, toBase64url, utf8 } from './bytes.ts'
import { SealError } from './errors.ts'

/** `,"signature":"`, 86 characters, `"}`. */
const signatureForm = /,"signature":"([A-Za-z0-9_-]{86})"\}$/

/** JSON whose last member signs all bytes before it. */
export interface SignedLine {
  readonly members: Readonly<Record<string, unknown>>
  /** What is signed: the text up to the comma before `"signature"`. */
  readonly signed: string
  readonly signature: Bytes
}

/**
 * Signs the beginning of a JSON object, exact byte for byte, and closes it.
 * @param domain what kind of thing is signed, so that none can be passed off as another
 * @param open a JSON object without its closing brace
 */
export async function signLine(signer: Signer, domain: string, open: string): Promise<string> {
  const signature = await signer.sign(signedBytes(domain, open))
  if (signature.length !== 64) throw new InvalidInputError('a signer must give a signature of 64 bytes')
  return `${open},"signature":"${toBase64url(signature)}"}`
}

/** Takes a signed line apart; the signature is not verified yet. @throws {SealError} `malformed` */
export function parseLine(line: string): SignedLine {
  const end = signatureForm.exec(line)
  if (end === null) throw new SealError('malformed', 'it does not end in a signature')
  return {
    members: parseObject(line),
    signed: line.slice(0, end.index),
    signature: fromBase64url(end[1], 64),
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // Told below, without what it held.
  }
  throw new SealError('malformed', 'it is no JSON object')
}

/** @throws {SealError} `bad-signature` where it is not that of the key that the DID names */
export async function verifyLine(line: SignedLine, domain: string, did: string): Promise<void> {
  const state = await stateOf(line, domain, did)
  if (state === 'unchecked')
    throw new SealError('bad-signature', 'this platform cannot verify signatures of Ed25519 keys')
  if (state === 'invalid')
    throw new SealError('bad-signature', 'the signature is not that of the one who is named')
}

async function stateOf(line: SignedLine, domain: string, did: string): Promise<SignatureState> {
  try {
    return await verifySignature(did, signedBytes(domain, line.signed), line.signature)
  } catch {
    // A DID that names no key.
    return 'invalid'
  }
}

/** JSON and base64url of JWTs never begin like this, so no token is mistaken for one of these, or the other way. */
function signedBytes(domain: string, text: string): Bytes {
  return utf8(`mandate ${domain} v1\n${text}`)
}
