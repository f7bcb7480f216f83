import type { Signer } from '../signers/signer.ts'
import { parseEncryptionKey } from './encryption-key.ts'
import { formatName } from './envelope.ts'
import { SealError } from './errors.ts'
import { parseLine, signLine, verifyLine } from './signed-line.ts'

const statementDomain = 'key statement'

/** Where everybody finds the statement of an address's owner, below that address. */
export const statementPath = '.mandate/keys.json'

/** What the holder of a DID says of the keys that files are to be sealed for. */
export interface KeyStatement {
  readonly did: string
  /** Above that of any statement before it. */
  readonly version: number
  /** `did:key` of the key that opens what is sealed for this DID. */
  readonly key: string
  /** Keys that everything sealed for this DID is to be sealed for too. */
  readonly recovery: readonly string[]
}

/** At most so many recovery keys. */
const maxRecoveryKeys = 8

/** One line of JSON, signed by the DID. @throws {SealError} `no-encryption-key` for what is none */
export async function makeStatement(signer: Signer, parts: Omit<KeyStatement, 'did'>): Promise<string> {
  const { version, key, recovery } = parts
  for (const one of [key, ...recovery]) parseEncryptionKey(one)
  const did = await signer.did()
  const text = JSON.stringify({ statement: formatName, did, version, key, recovery }).slice(0, -1)
  return signLine(signer, statementDomain, text)
}

/**
 * Reads a statement and verifies that its DID signed it: nobody else can have made it, wherever it was found.
 * @throws {SealError} `malformed`, `unsupported`, `bad-signature`, `no-encryption-key`
 */
export async function readStatement(line: string): Promise<KeyStatement> {
  const signed = parseLine(line)
  const { statement, did, version, key, recovery } = signed.members
  if (statement !== formatName) throw new SealError('unsupported', 'it is no key statement of a known format')
  if (typeof did !== 'string' || typeof key !== 'string' || !Number.isSafeInteger(version)) throw malformed()
  if (!isTexts(recovery) || recovery.length > maxRecoveryKeys) throw malformed()
  await verifyLine(signed, statementDomain, did)
  for (const one of [key, ...recovery]) parseEncryptionKey(one)
  return { did, version: Number(version), key, recovery }
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'string')
}

function malformed(): SealError {
  return new SealError('malformed', 'a member of the key statement is missing or is not of its form')
}
