import type { LocalStamp } from '../transfers/commit.ts'
import type { SyncedFile } from './state.ts'

/** What is known of one side of a path. */
export interface RemoteVersion {
  readonly etag: string
  readonly size: number
}

/** A path on both sides, and what both had after the last run; `null` for what is not there. */
export interface Sides {
  readonly local: LocalStamp | null
  readonly remote: RemoteVersion | null
  readonly synced: SyncedFile | null
}

/**
 * What is to be done at a path, with the states that it is right for: each is held to them when it is done.
 * - `upload`: over the version `over`, or where nothing is (`null`);
 * - `download`: over the local state `over`, or where nothing is;
 * - `delete-remote`, `delete-local`: what the other side has deleted since the last run;
 * - `compare`: both sides have something that the other may not have;
 * - `forget`: neither has it any more;
 * - `kept`: deleted on one side, and deletions are not asked for.
 */
export type Step =
  | { readonly do: 'upload'; readonly path: string; readonly local: LocalStamp; readonly over: string | null }
  | {
      readonly do: 'download'
      readonly path: string
      readonly remote: RemoteVersion
      readonly over: LocalStamp | null
    }
  | { readonly do: 'delete-remote'; readonly path: string; readonly etag: string }
  | { readonly do: 'delete-local'; readonly path: string; readonly local: LocalStamp }
  | {
      readonly do: 'compare'
      readonly path: string
      readonly local: LocalStamp
      readonly remote: RemoteVersion
    }
  | { readonly do: 'forget'; readonly path: string }
  | { readonly do: 'kept'; readonly path: string; readonly deleted: 'here' | 'there' }

export interface PlanOptions {
  /** Whether what was deleted on one side is deleted on the other. */
  deletes: boolean
}

/** @returns null where both sides have what they had */
export function planStep(
  path: string,
  { local, remote, synced }: Sides,
  { deletes }: PlanOptions,
): Step | null {
  if (local === null) return planAbsentHere(path, remote, synced, deletes)
  const isChangedHere = synced === null || local.size !== synced.size || local.mtimeMs !== synced.mtimeMs
  if (remote === null) {
    // Changed here after it was deleted there: what was changed is kept.
    if (isChangedHere) return { do: 'upload', path, local, over: null }
    return deletes ? { do: 'delete-local', path, local } : { do: 'kept', path, deleted: 'there' }
  }
  const isChangedThere = synced?.etag !== remote.etag
  if (isChangedHere && isChangedThere) return { do: 'compare', path, local, remote }
  if (isChangedHere) return { do: 'upload', path, local, over: remote.etag }
  return isChangedThere ? { do: 'download', path, remote, over: local } : null
}

function planAbsentHere(
  path: string,
  remote: RemoteVersion | null,
  synced: SyncedFile | null,
  deletes: boolean,
): Step | null {
  if (remote === null) return synced === null ? null : { do: 'forget', path }
  // New there, or changed there after it was deleted here.
  if (synced === null || synced.etag !== remote.etag) return { do: 'download', path, remote, over: null }
  return deletes ? { do: 'delete-remote', path, etag: remote.etag } : { do: 'kept', path, deleted: 'here' }
}
