/** Where to write. */
export interface WriterPlace {
  endpoint: string
  bucket: string
  credentials: { accessKeyId: string; secretAccessKey: string }
}

/** What to write for a while. */
export interface WriterJob {
  /** Of one object. */
  bytes: number
  isSizeKnown: boolean
  connections: number
  /** One name for each connection, or a new one each time. */
  isOverwrite: boolean
  /** Each write under the etag of the one before. */
  isConditional: boolean
  seconds: number
}

/** Writes one object and answers with its etag. @param etag what must be there */
export type Writer = (name: string, job: WriterJob, etag: string | undefined) => Promise<string>
