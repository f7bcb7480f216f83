/**
 * Sealed files: sharing what only its recipients can read. See docs/sealed-files.md.
 *
 * @packageDocumentation
 */
export { type EncryptionKey, fingerprint, type KeyKind, parseEncryptionKey } from './encryption-key.ts'
export { type Recipient, sealedType } from './envelope.ts'
export { SealError, type SealErrorCode } from './errors.ts'
export type { ChangeOptions } from './files/change.ts'
export type { CheckResult } from './files/check.ts'
export type { Committed } from './files/commit.ts'
export type { KeyQuestion, SealOptions } from './files/context.ts'
export type { FolderOptions, FolderProgress, FolderResult } from './files/folder.ts'
export type { PublishedKeys } from './files/identity.ts'
export { type SealMemory, volatileMemory } from './files/memory.ts'
export type { OpenOptions } from './files/open.ts'
export type { ReadOptions, SealedBytes, SealedFile, SealedStream } from './files/read.ts'
export { type FolderChangeOptions, type SealedFiles, sealedFiles } from './files/sealed-files.ts'
export type { SharedFile } from './files/shared-index.ts'
export type { SweepOptions } from './files/sweep.ts'
export type { AllowedSealers } from './files/trust.ts'
export type { SealedPut, SealPutOptions } from './files/write.ts'
export {
  exportOpeningKey,
  generateOpeningKey,
  importOpeningKey,
  type OpeningKey,
  openingKey,
  stacksOpeningKey,
} from './opening-key.ts'
export type { SealFor } from './seal-for.ts'
export { sealing } from './sealing.ts'
export { type KeyStatement, makeStatement, readStatement, statementPath } from './statement.ts'
