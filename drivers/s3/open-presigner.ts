import { DeleteObjectCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import type { Presigner } from '../driver.ts'
import { holdsUploads, type UploadProbe } from '../probe-uploads.ts'
import { makeClient } from './client.ts'
import { asDriver, isMissing } from './errors.ts'
import type { S3DriverOptions } from './options.ts'
import { presignUpload, type Signing, s3Presigner } from './presign.ts'
import { bareEtag, type Store, targetOf } from './store.ts'

/** A presigner, and what it holds besides the store. */
export interface OpenPresigner {
  readonly presigner: Presigner
  close(): void
}

/**
 * What clients can be handed, as far as the options ask for it; `null` for nothing. Where the storage is opened for
 * writing, it has been tried what it holds uploads to.
 */
export async function openPresigner(store: Store, options: S3DriverOptions): Promise<OpenPresigner | null> {
  if (options.presign !== true || options.credentials === 'anonymous') return null
  const { presignEndpoint } = options
  const signing = options.access === 'read' ? null : await findSigning(store)
  const client =
    presignEndpoint === undefined ? store.client : makeClient({ ...options, endpoint: presignEndpoint })
  return {
    presigner: s3Presigner({ store, client }, signing),
    close() {
      if (client !== store.client) client.destroy()
    },
  }
}

/** `null` where the storage does not hold uploads to what was signed, in neither way. */
async function findSigning(store: Store): Promise<Signing | null> {
  if (!store.traits.conditionalWrites) return null
  for (const signing of ['plain', 'guarded'] as const) {
    if (await asDriver(() => holdsUploads(probeOf(store, signing)))) return signing
  }
  return null
}

function probeOf(store: Store, signing: Signing): UploadProbe {
  const { client } = store
  const signer = { store, client }
  const longAgoMs = Date.now() - 600_000
  return {
    async write(name, bytes) {
      const command = new PutObjectCommand({ ...targetOf(store, name), Body: bytes })
      return bareEtag((await client.send(command)).ETag)
    },
    read: (name) => readBytes(client, store, name),
    async delete(name) {
      await client.send(new DeleteObjectCommand(targetOf(store, name)))
    },
    presign: (name, options) => presignUpload(signer, signing, name, options),
    presignExpired: (name, options) => presignUpload(signer, signing, name, options, longAgoMs),
    harmful: (name) => ({
      'x-amz-copy-source': `/${store.bucket}/${name}`,
      'x-amz-acl': 'private',
      'x-amz-meta-mandate-deleted': 'true',
    }),
  }
}

async function readBytes(client: S3Client, store: Store, name: string): Promise<Uint8Array | null> {
  try {
    const { Body } = await client.send(new GetObjectCommand(targetOf(store, name)))
    return (await Body?.transformToByteArray()) ?? new Uint8Array()
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
