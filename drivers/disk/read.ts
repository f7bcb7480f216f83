import { checkCondition } from '../condition.ts'
import type { ReadOptions, ReadResult } from '../driver.ts'
import { resolveRange } from '../range.ts'
import { closeFile } from './calls.ts'
import { openCurrent } from './current-version.ts'
import { FileBody } from './file-body.ts'
import type { Place } from './layout.ts'
import { infoOf } from './version.ts'

/** Opens the version that is there. Its bytes come from the open file, so that nothing done to its name matters. */
export async function readFile(place: Place, options: ReadOptions): Promise<ReadResult | null> {
  const current = await openCurrent(place)
  if (current === null) return null
  const { fd, version } = current
  try {
    if (options.ifMatch !== undefined) checkCondition({ ifMatch: options.ifMatch }, version.etag)
    const range = options.range === undefined ? null : resolveRange(options.range, version.size)
    const body =
      range === null
        ? new FileBody(fd, 0, version.size)
        : new FileBody(fd, range.first, range.last - range.first + 1)
    return { info: infoOf(version), range, body }
  } catch (error) {
    await closeFile(fd)
    throw error
  }
}
