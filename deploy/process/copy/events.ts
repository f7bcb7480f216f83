/**
 * What became of one file or record. In a dry run, what would become of it.
 * - `copied`: it was not at the destination, and is now.
 * - `updated`: it was as an earlier run had left it, and the source's has changed since.
 * - `compared`: it was there already, and was found to have the same bytes and type.
 * - `there`: it was there already, as an earlier run left it; or, of a record, it is there and stays as it is.
 * - `deleted`: an earlier run had copied it, and the source has it no more.
 * - `gone`: the same, but it was left at the destination.
 * - `conflict`: the destination has something else, which was left as it is.
 * - `failed`: it could not be copied, or not verified.
 */
export const copyActions = [
  'copied',
  'updated',
  'compared',
  'there',
  'deleted',
  'gone',
  'conflict',
  'failed',
] as const
export type CopyAction = (typeof copyActions)[number]

export interface CopyEvent {
  /** A file of the owner's, or a record about the address; `address` where all of it is meant. */
  what: 'file' | 'record' | 'address'
  /** The key in both storages, or the address. */
  key: string
  action: CopyAction
  /** Bytes that were, or would be, written. */
  bytes?: number
  /** For people, of a conflict or a failure. */
  reason?: string
}

export type Counts = Record<CopyAction, number>

/** What a run came to. */
export interface CopyReport {
  addresses: number
  files: Counts
  records: Counts
  /** Addresses of which nothing, or not all, could be looked at. */
  failedAddresses: number
  /** Bytes that were, or would be, written. */
  bytes: number
}

export function emptyReport(): CopyReport {
  return { addresses: 0, files: zeros(), records: zeros(), failedAddresses: 0, bytes: 0 }
}

function zeros(): Counts {
  return { copied: 0, updated: 0, compared: 0, there: 0, deleted: 0, gone: 0, conflict: 0, failed: 0 }
}

export function count(report: CopyReport, { what, action, bytes = 0 }: CopyEvent): void {
  if (what === 'address') report.failedAddresses++
  else report[what === 'file' ? 'files' : 'records'][action]++
  report.bytes += bytes
}

export function failuresIn({ files, records, failedAddresses }: CopyReport): number {
  return files.failed + records.failed + failedAddresses
}

export function conflictsIn({ files, records }: CopyReport): number {
  return files.conflict + records.conflict
}
