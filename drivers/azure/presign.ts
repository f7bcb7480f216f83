import { BlobSASPermissions, type ContainerClient, StorageSharedKeyCredential } from '@azure/storage-blob'
import type { Presigner, PresignReadOptions } from '../driver.ts'
import { DriverError } from '../errors.ts'
import type { Key } from '../key.ts'
import { checkLife } from '../presign.ts'
import { asDriver } from './errors.ts'

/**
 * URLs with a shared access signature, which only an account's key can make here; `null` without one. Such a
 * signature holds an upload to a name and a time, but to no size, type or condition: uploads are not presigned.
 * @param refusalOf why the service has no room for a name
 */
export function azurePresigner(
  container: ContainerClient,
  refusalOf: (key: Key) => string | null,
): Presigner | null {
  if (!(container.credential instanceof StorageSharedKeyCredential)) return null
  return {
    async readUrl(key, options) {
      checkLife(options.expiresInSeconds)
      const refusal = refusalOf(key)
      if (refusal !== null) throw new DriverError('invalid_key', refusal)
      return await asDriver(() => readUrl(container, key, options))
    },
    uploads: null,
  }
}

async function readUrl(
  container: ContainerClient,
  key: Key,
  { expiresInSeconds, ...pinned }: PresignReadOptions,
): Promise<string> {
  return await container.getBlobClient(key).generateSasUrl({
    permissions: BlobSASPermissions.from({ read: true }),
    expiresOn: new Date(Date.now() + expiresInSeconds * 1000),
    ...pinned,
  })
}
