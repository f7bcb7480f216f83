import type { FolderSync } from './folder-sync.ts'
import type { Folders } from './folders.ts'
import type { KeyLocks } from './key-locks.ts'
import type { TempFolder } from './temp-folder.ts'

/** What the operations of one disk driver share. */
export interface Storage {
  /** The real path of the root folder. */
  readonly root: string
  readonly locks: KeyLocks
  readonly temp: TempFolder
  readonly sync: FolderSync
  readonly folders: Folders
  /** Whether versions are sealed with extended attributes, where the file system has them. */
  readonly attributes: boolean
}
