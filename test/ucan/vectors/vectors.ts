import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { KeyKind } from '../../../hub/auth/keys.ts'
import type { UcanErrorCode } from '../../../hub/auth/ucan/index.ts'

/** See the README beside this file. */
export interface UcanVector {
  title: string
  token: string
  proofs?: Record<string, string>
  now?: number
  expect: 'valid' | UcanErrorCode
  claim?: string
  why?: string
}

export interface UcanVectors {
  valid: UcanVector[]
  invalid: UcanVector[]
  cids?: { title: string; token: string; cid: string }[]
}

export interface SignatureVectors {
  curve: KeyKind
  sets: {
    name: string
    notes?: Record<string, string>
    groups: { key: string; tests: string[] }[]
  }[]
}

/** The files lie beside the source, which is two levels higher than what is built of it. */
export function readVectors<T>(name: string): T {
  const path = new URL(`../../../../test/ucan/vectors/${name}`, import.meta.url)
  return JSON.parse(readFileSync(fileURLToPath(path), 'utf8')) as T
}
