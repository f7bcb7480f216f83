import type { ObjectInfo } from '../../../drivers/driver.ts'
import type { LedgerEntry } from './ledger.ts'

/** What is known of one key. */
export interface Sides {
  /** What the source holds; `null` for nothing. */
  source: ObjectInfo | null
  /** What the destination holds; `null` for nothing. */
  target: ObjectInfo | null
  /** What an earlier run has copied, and to what. */
  entry: LedgerEntry | null
}

export interface Choices {
  /** Where both sides differ and nobody can tell which is right, take the source's. */
  overwrite: boolean
  /** Delete at the destination what an earlier run copied and the source has no more. */
  deleteGone: boolean
}

export type Plan =
  /** As an earlier run left it. */
  | { do: 'nothing' }
  /** Nothing of ours: the destination alone has it. */
  | { do: 'ignore' }
  | { do: 'create' }
  /** Write over the version with this etag, and no other. */
  | { do: 'replace'; etag: string; action: 'updated' | 'copied' }
  /** Size and type are the same: the bytes decide. */
  | { do: 'compare'; reason: string }
  | { do: 'delete'; etag: string }
  /** The source has it no more; left at the destination. */
  | { do: 'leave' }
  | { do: 'conflict'; reason: string }

/**
 * What to do about one key. What an earlier run left at the destination, and nobody has touched since, follows the
 * source; whatever the destination did by itself is never undone, unless `overwrite` says so.
 */
export function decide({ source, target, entry }: Sides, choices: Choices): Plan {
  if (source === null) return withoutSource(target, entry, choices)
  if (target === null) return withoutTarget(entry, choices)
  if (entry !== null && isSameVersion(target, entry.to)) {
    if (isSameVersion(source, entry.from)) return { do: 'nothing' }
    return { do: 'replace', etag: target.etag, action: 'updated' }
  }
  const reason =
    entry === null
      ? 'something else is at the destination'
      : 'it was changed at the destination since it was copied'
  if (source.size === target.size && source.contentType === target.contentType)
    return { do: 'compare', reason }
  return differing(reason, target, choices)
}

/** What a comparison that found other bytes comes to. */
export function differing(reason: string, target: ObjectInfo, { overwrite }: Choices): Plan {
  return overwrite
    ? { do: 'replace', etag: target.etag, action: 'copied' }
    : { do: 'conflict', reason: `${reason}; it stays` }
}

function withoutSource(target: ObjectInfo | null, entry: LedgerEntry | null, { deleteGone }: Choices): Plan {
  if (target === null || entry === null || !isSameVersion(target, entry.to)) return { do: 'ignore' }
  return deleteGone ? { do: 'delete', etag: target.etag } : { do: 'leave' }
}

function withoutTarget(entry: LedgerEntry | null, { overwrite }: Choices): Plan {
  if (entry === null || overwrite) return { do: 'create' }
  return { do: 'conflict', reason: 'it was deleted at the destination since it was copied; it stays so' }
}

/** Etags alone do not tell versions apart where they are made from the content: the type may have changed. */
function isSameVersion(a: ObjectInfo, b: ObjectInfo): boolean {
  return (
    a.etag === b.etag &&
    a.size === b.size &&
    a.contentType === b.contentType &&
    a.lastModifiedMs === b.lastModifiedMs
  )
}
