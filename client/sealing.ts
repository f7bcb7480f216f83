import type { Connection } from './connection.ts'
import type { FileStream, StoredFile } from './files/file.ts'
import type { PutOptions, PutResult } from './files/put.ts'
import type { GetOptions } from './files/read.ts'
import type { PutData } from './files/source.ts'

/** What a connection seals and opens files with. */
export interface Sealer {
  put(path: string, data: PutData, options: PutOptions): Promise<PutResult>
  get(path: string, options: GetOptions): Promise<StoredFile>
  stream(path: string, options: GetOptions): Promise<FileStream>
  /** Refuses a file that is not sealed, where a sealed one was seen before. */
  refuseUnsealed(path: string): Promise<void>
  /** Remembers that a file was stored for all to read. */
  rememberUnsealed(path: string): Promise<void>
}

/** Makes a connection one that seals and opens: `sealing({keys})` of `mandate/client/seal`. */
export type Sealing = (connection: Connection) => Sealer

/** Content-Type of sealed files. */
export const sealedType = 'application/vnd.mandate.sealed'
