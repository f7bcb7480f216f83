import { Readable } from 'node:stream'
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { checkCondition } from '../condition.ts'
import type { ReadOptions, ReadRange, ReadResult } from '../driver.ts'
import { DriverError } from '../errors.ts'
import { GuardedBody } from '../guarded-body.ts'
import { resolveRange } from '../range.ts'
import { asDriverError, isMissing, statusOf } from './errors.ts'
import { fitsKey, isEtag, type Store, targetOf } from './store.ts'
import { currentVersion, versionOf } from './version.ts'

/** How often a read begins anew when the object changed between a refusal and a look at the reason. */
const maxTries = 5

/** Info and bytes come from one answer, so they are of one version. */
export async function readObject(
  store: Store,
  key: string,
  options: ReadOptions,
): Promise<ReadResult | null> {
  if (!fitsKey(key)) return null
  for (let tries = 0; tries < maxTries; tries++) {
    try {
      if (options.ifMatch === undefined || isEtag(options.ifMatch)) {
        return resultOf(store, await get(store, key, options), options.range)
      }
    } catch (error) {
      if (isMissing(error)) return null
      if (statusOf(error) !== 412 && statusOf(error) !== 416) throw error
    }
    // It was refused without the etag or the size that the caller is told.
    const info = await currentVersion(store, key)
    if (info === null) return null
    if (options.ifMatch !== undefined) checkCondition({ ifMatch: options.ifMatch }, info.etag)
    if (options.range !== undefined) resolveRange(options.range, info.size)
  }
  throw new DriverError('busy', 'the object changes too fast to be read; try again')
}

async function get(
  store: Store,
  key: string,
  { range, ifMatch }: ReadOptions,
): Promise<GetObjectCommandOutput> {
  const command = new GetObjectCommand({
    ...targetOf(store, key),
    ...(range === undefined ? {} : { Range: rangeHeader(range) }),
    ...(ifMatch === undefined ? {} : { IfMatch: `"${ifMatch}"` }),
  })
  return await store.client.send(command)
}

function rangeHeader(range: ReadRange): string {
  return 'suffix' in range ? `bytes=-${range.suffix}` : `bytes=${range.first}-${range.last ?? ''}`
}

function resultOf(
  store: Store,
  answer: GetObjectCommandOutput,
  asked: ReadRange | undefined,
): ReadResult | null {
  const source = answer.Body
  if (!(source instanceof Readable)) throw new DriverError('backend', 'the storage answered without a body')
  try {
    const { range, size } = extentOf(answer, asked)
    const version = versionOf(answer, size)
    if (!version.isTombstone) {
      const length = range === null ? version.info.size : range.last - range.first + 1
      const options = { length, stallMs: store.requestTimeoutMs, toError: asDriverError }
      return { info: version.info, range, body: new GuardedBody(source, options) }
    }
  } catch (error) {
    source.destroy()
    throw error
  }
  source.destroy()
  return null
}

/** Which bytes an answer brings, and of how many. */
function extentOf(answer: GetObjectCommandOutput, asked: ReadRange | undefined) {
  if (asked === undefined) return { range: null, size: answer.ContentLength }
  const [, first, last, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.ContentRange ?? '') ?? []
  if (first === undefined) {
    // Of an empty object some services give all there is.
    if (answer.ContentLength === 0) resolveRange(asked, 0)
    throw new DriverError('backend', 'the storage does not answer with the range that it was asked for')
  }
  return { range: { first: Number(first), last: Number(last) }, size: Number(size) }
}
