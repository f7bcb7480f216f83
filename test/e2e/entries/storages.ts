import { startAzurite } from '../../servers/azurite.ts'
import { cephServer } from '../../servers/ceph.ts'
import { startGcsServer } from '../../servers/gcs.ts'
import { makeBucket } from '../../servers/s3-bucket.ts'
import type { Cloud } from './run.ts'

/** Variables for a storage of its own, and what becomes of that. */
export interface Storage {
  env: Record<string, string>
  end(): Promise<void>
}

/** Each over the storage of its own cloud. */
export const storages: Record<Cloud, () => Promise<Storage>> = {
  async 'aws-lambda'() {
    const server = await cephServer()
    const bucket = await makeBucket(server)
    const env = {
      GAIA_DRIVER: 's3',
      GAIA_BUCKET_NAME: bucket.name,
      MANDATE_S3_ENDPOINT: server.endpoint,
      GAIA_S3_ACCESS_KEY_ID: server.accessKeyId,
      GAIA_S3_SECRET_ACCESS_KEY: server.secretAccessKey,
    }
    return { env, end: () => bucket.remove() }
  },
  async 'google-cloud'() {
    const server = await startGcsServer()
    const env = {
      GAIA_DRIVER: 'gcs',
      GAIA_BUCKET_NAME: 'functions',
      MANDATE_CREATE_BUCKET: 'true',
      MANDATE_GCP_API_ENDPOINT: server.url,
      GAIA_GCP_PROJECT_ID: 'project',
    }
    return { env, end: () => server.stop() }
  },
  async azure() {
    const server = await startAzurite()
    const env = {
      GAIA_DRIVER: 'azure',
      GAIA_BUCKET_NAME: 'functions',
      MANDATE_CREATE_BUCKET: 'true',
      MANDATE_AZURE_CONNECTION_STRING: server.connectionString,
    }
    return { env, end: () => server.stop() }
  },
}
