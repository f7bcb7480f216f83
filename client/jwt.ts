import { base64urlnopad } from '@scure/base'
import { InvalidInputError } from './errors.ts'
import type { Signer } from './signers/signer.ts'

const utf8 = new TextEncoder()

/**
 * Signs a JWT (RFC 7515 compact form) with the algorithm of the key.
 * @param headerExtras members of the header besides `typ` and `alg`, `ucv` for instance
 * @throws {InvalidInputError} where the signer gives anything but 64 bytes
 */
export async function signJwt(
  signer: Signer,
  payload: object,
  headerExtras: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const header = { typ: 'JWT', alg: signer.jwtAlg, ...headerExtras }
  const input = `${segment(header)}.${segment(payload)}`
  const signature = await signer.sign(utf8.encode(input))
  if (signature.length !== 64) throw new InvalidInputError('a signer must give a signature of 64 bytes')
  return `${input}.${base64urlnopad.encode(Uint8Array.from(signature))}`
}

function segment(content: object): string {
  return base64urlnopad.encode(utf8.encode(JSON.stringify(content)))
}

/** The payload of a JWT as it stands; nothing is verified. `null` where it is none. */
export function readJwtPayload(jwt: string): Readonly<Record<string, unknown>> | null {
  try {
    const bytes = base64urlnopad.decode(jwt.split('.')[1] ?? '')
    const payload: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : null
  } catch {
    return null
  }
}
