import { randomUUID } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { PutObjectCommand } from '@aws-sdk/client-s3'
import type { ObjectInfo, WriteOptions } from '../driver.ts'
import { dateOfAnswer } from './client.ts'
import { type Committed, type ConditionalWrite, commitIf, type NativeCondition } from './commit.ts'
import { typeInput } from './content-type.ts'
import { asDriverError } from './errors.ts'
import { writeIdMetadata } from './metadata.ts'
import { bareEtag, type Store, targetOf, timeFor } from './store.ts'

/** Bytes that can be sent as often as need be. */
export interface Content {
  readonly size: number
  /** A stream is another one, from the beginning, at each call. */
  readonly body: () => Buffer | Readable
  /** Streams are sent once by the SDK, whatever becomes of them. */
  readonly isStream: boolean
}

/** Everything of a write but its bytes: where, which kind, under which condition. */
export interface Target {
  readonly key: string
  readonly options: WriteOptions
  readonly writeId: string | undefined
}

export function makeTarget(key: string, options: WriteOptions): Target {
  return { key, options, writeId: options.condition === undefined ? undefined : randomUUID() }
}

/** What an object is given beside its bytes, in the requests that make one. */
export function attributesOf({ options, writeId }: Target) {
  const { ContentType, Metadata } = typeInput(options.contentType)
  return {
    ContentType,
    Metadata: writeId === undefined ? Metadata : { ...Metadata, ...writeIdMetadata(writeId) },
    ...(options.cacheControl === undefined ? {} : { CacheControl: options.cacheControl }),
  }
}

/** Runs the request that commits, under the condition of the write where there is one. */
export async function commit(
  store: Store,
  { key, options: { condition }, writeId }: Target,
  attempt: ConditionalWrite['attempt'],
  isLost: ConditionalWrite['isLost'] = () => false,
): Promise<Committed> {
  if (condition === undefined || writeId === undefined) return await attempt({})
  return await commitIf(store, { key, condition, writeId, attempt, isLost })
}

/** Stores an object by one request. */
export async function putObject(store: Store, target: Target, content: Content): Promise<ObjectInfo> {
  const send = async (condition: NativeCondition): Promise<Committed> => {
    const input = { ...targetOf(store, target.key), ...attributesOf(target), ...condition }
    const command = new PutObjectCommand({ ...input, Body: content.body(), ContentLength: content.size })
    const answer = await store.client.send(command, timeFor(store, content.size))
    return { etag: bareEtag(answer.ETag), lastModifiedMs: dateOfAnswer(answer) }
  }
  const { etag, lastModifiedMs } = await commit(store, target, (condition) =>
    content.isStream ? retry(store.maxAttempts, () => send(condition)) : send(condition),
  )
  return { etag, size: content.size, contentType: target.options.contentType, lastModifiedMs }
}

/** As the SDK does with what it can send again by itself. */
export async function retry<T>(
  maxAttempts: number,
  attempt: () => Promise<T>,
  mayRepeat: (error: unknown) => boolean = () => true,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const isOver = tries >= maxAttempts || !mayRepeat(error)
      if (isOver || asDriverError(error).code !== 'unavailable') throw error
    }
    await sleep(Math.random() * 100 * 2 ** tries)
  }
}
