/**
 * The client of a Mandate hub, for browsers and Node: `connect({hub, signer})` gives the calls.
 *
 * @packageDocumentation
 */
export { type ConnectOptions, connect } from './connect.ts'
export type { Connection } from './connection.ts'
export * from './delegation/index.ts'
export { addressOfDid, controls, didPkhOf, namesKey } from './did.ts'
export * from './errors.ts'
export type { DeleteOptions } from './files/delete.ts'
export type { FileInfo, FileStream, NotModified, StoredFile, Unsealed } from './files/file.ts'
export type { CallOptions } from './files/files.ts'
export type { FormerVersion } from './files/history.ts'
export type { ListOptions } from './files/list.ts'
export type { PutOptions, PutResult } from './files/put.ts'
export type { Range } from './files/range.ts'
export type { GetOptions } from './files/read.ts'
export type { ByteStream, PutData } from './files/source.ts'
export type { Change, UpdateOptions } from './files/update.ts'
export * from './grants/index.ts'
export { signJwt } from './jwt.ts'
export type { Sealer, Sealing } from './sealing.ts'
export { type Caveats, gaiaResource, signUcan, type UcanCapability, type UcanContent } from './sign-ucan.ts'
export { type GaiaHubConfig, type GaiaSession, gaiaSigner } from './signers/gaia-signer.ts'
export { isStacksSigner, type JwtAlgorithm, type Signer, type StacksSigner } from './signers/signer.ts'
export { generateStacksSigner, type StacksSignerOptions, stacksSigner } from './signers/stacks-signer.ts'
export {
  generateSigner,
  type WebCryptoKeyKind,
  type WebCryptoSigner,
  webCryptoSigner,
} from './signers/web-crypto-signer.ts'
export { StacksFileError, type StacksFileErrorCode } from './stacks/errors.ts'
export { openStacksContent, type StacksContent, sealStacksContent } from './stacks/stacks-content.ts'
export {
  type GetStacksOptions,
  getStacksFile,
  type PutStacksOptions,
  putStacksFile,
  type StacksFile,
} from './stacks/stacks-files.ts'
export type { RetryOptions } from './transport/backoff.ts'
export type { Outcome } from './transport/send.ts'
export type {
  CredentialContext,
  CredentialSource,
  CredentialWallet,
  DirectRequest,
  HubInfo,
  JsonOptions,
  Need,
  Progress,
  StorageWays,
  Transport,
  TransportRequest,
} from './transport/transport.ts'
export { signV1Token, type V1Scope, type V1TokenContent } from './v1-credential.ts'
