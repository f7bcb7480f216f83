import { randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { parseKeyOrNull } from '../../drivers/parse-key.ts'
import type { S3Server } from './ceph.ts'

/** A bucket of its own on a test server, and a look at it that is not the driver's. */
export interface TestBucket {
  readonly name: string
  readonly client: S3Client
  /** Keys of everything in it. */
  keys(): Promise<string[]>
  /** Unfinished uploads, and whatever has a name that no caller could have given. */
  leftovers(): Promise<string[]>
  empty(): Promise<void>
  remove(): Promise<void>
  /** Removes another bucket, which must be empty. */
  removeOther(name: string): Promise<void>
}

export function clientOf({ endpoint, accessKeyId, secretAccessKey }: S3Server): S3Client {
  return new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
}

/** Lets everybody do everything with a bucket, unsigned. */
export async function openToAll({ client, name }: TestBucket): Promise<void> {
  const resources = [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`]
  const statement = { Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: resources }
  const policy = { Version: '2012-10-17', Statement: [statement] }
  await client.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(policy) }))
}

export async function makeBucket(server: S3Server): Promise<TestBucket> {
  const client = clientOf(server)
  const name = `test-${randomBytes(8).toString('hex')}`
  await client.send(new CreateBucketCommand({ Bucket: name }))
  const keys = () => allKeys(client, name)
  const uploads = async () =>
    (await client.send(new ListMultipartUploadsCommand({ Bucket: name }))).Uploads ?? []
  const empty = async () => {
    const [found, begun] = await Promise.all([keys(), uploads()])
    await Promise.all(found.map((Key) => client.send(new DeleteObjectCommand({ Bucket: name, Key }))))
    for (const { Key, UploadId } of begun) {
      await client.send(new AbortMultipartUploadCommand({ Bucket: name, Key, UploadId }))
    }
  }
  return {
    name,
    client,
    keys,
    empty,
    async leftovers() {
      const [found, begun] = await Promise.all([keys(), uploads()])
      const strays = found.filter((key) => parseKeyOrNull(key) === null)
      return [...strays, ...begun.map(({ Key }) => `upload of ${Key}`)]
    },
    async remove() {
      await empty()
      await client.send(new DeleteBucketCommand({ Bucket: name }))
      client.destroy()
    },
    async removeOther(other) {
      await client.send(new DeleteBucketCommand({ Bucket: other }))
    },
  }
}

async function allKeys(client: S3Client, bucket: string): Promise<string[]> {
  const keys: string[] = []
  let token: string | undefined
  do {
    const input = { Bucket: bucket, EncodingType: 'url' as const }
    const page = await client.send(new ListObjectsV2Command({ ...input, ContinuationToken: token }))
    keys.push(...(page.Contents ?? []).map(({ Key }) => decodeURIComponent(Key ?? '')))
    token = page.NextContinuationToken
  } while (token !== undefined)
  return keys
}
