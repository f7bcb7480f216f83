import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { BlockBlobClient } from '@azure/storage-blob'
import type { BodyPart } from '../body-parts.ts'
import { DriverError } from '../errors.ts'
import { asDriverError } from './errors.ts'
import { maxBlocks } from './transfer.ts'

/** Blocks that wait at the service, in order. Nobody sees them until they are committed. */
export interface Staged {
  readonly ids: string[]
  /** Bytes of all of them. */
  readonly size: number
}

export interface StageOptions {
  /** How many are sent at once, at least 1: so many, and one that fills, are in memory. */
  readonly concurrency: number
  /** Where the blocks come from: it is destroyed as soon as one of them cannot be sent. */
  readonly body: Readable
}

/**
 * Sends the blocks of a body while it comes in. Those of a body that fails are left to the service, which throws
 * uncommitted blocks away with the next commit at that name, or after a week: there is no request that would.
 * @throws the error of the body, or that of the first block that could not be sent
 */
export async function stageBlocks(
  blob: BlockBlobClient,
  first: BodyPart,
  next: () => Promise<BodyPart>,
  { concurrency, body }: StageOptions,
): Promise<Staged> {
  const ids: string[] = []
  let size = 0
  const sending = new Set<Promise<void>>()
  const stop = new AbortController()
  const failures: DriverError[] = []
  const send = async ({ bytes }: BodyPart): Promise<void> => {
    if (sending.size >= concurrency) await Promise.race(sending)
    if (ids.length >= maxBlocks)
      throw new DriverError('backend', `the body has more than ${maxBlocks} blocks`)
    const id = makeBlockId()
    ids.push(id)
    size += bytes.length
    const sent = blob
      .stageBlock(id, bytes, bytes.length, { abortSignal: stop.signal })
      .then(() => undefined)
      .catch((error: unknown) => {
        if (stop.signal.aborted) return
        failures.push(asDriverError(error))
        body.destroy(failures[0])
      })
      .finally(() => sending.delete(sent))
    sending.add(sent)
  }
  try {
    for (let part = first; ; part = await next()) {
      await send(part)
      if (part.last) break
    }
  } catch (error) {
    stop.abort()
    await Promise.all(sending)
    throw failures[0] ?? error
  }
  await Promise.all(sending)
  if (failures[0] !== undefined) throw failures[0]
  return { ids, size }
}

/**
 * Ids of all blocks at one name must be of one length, those of other programs included, and 48 bytes is what the
 * SDKs of Azure take. They are random, so that two uploads to one name at once never mix.
 */
function makeBlockId(): string {
  return randomBytes(48).toString('base64')
}
