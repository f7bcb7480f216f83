import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'

const announcedBytes = 64 * 1024
/** How long half of a body gets to arrive, and then what becomes of it to be seen. */
const arrivalMs = 40
const settlingMs = 100

/**
 * Whether a request that breaks off in the middle of its body changes nothing. Some servers store what has come.
 * @param object one that is there, of another size than what is sent here
 */
export async function leavesFormer(
  client: S3Client,
  object: { readonly Bucket: string; readonly Key: string },
): Promise<boolean> {
  const aborter = new AbortController()
  const body = new Readable({ read() {} })
  body.push(Buffer.alloc(announcedBytes / 2, 'x'))
  const command = new PutObjectCommand({ ...object, Body: body, ContentLength: announcedBytes })
  const sending = client.send(command, { abortSignal: aborter.signal })
  const outcome = sending.then(
    () => 'stored' as const,
    () => 'refused' as const,
  )
  await sleep(arrivalMs)
  aborter.abort()
  body.destroy()
  if ((await outcome) === 'stored') return false
  await sleep(settlingMs)
  const { ContentLength } = await client.send(new HeadObjectCommand(object))
  return ContentLength !== undefined && ContentLength < announcedBytes / 2
}
