import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import { cephServer, installMs } from '../servers/ceph.ts'
import { startGcsServer } from '../servers/gcs.ts'
import { makeBucket } from '../servers/s3-bucket.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'
import { addressIn, type BinProcess, endBins, runBin, startBin } from './bins.ts'
import { alice, authorizationAt, store } from './owner.ts'

/** A test server with an empty bucket. */
interface Service {
  /** A configuration file without its bucket. */
  file: Record<string, unknown>
  bucket: string
  /** Where the summary says that the storage is. */
  place: string
  /** Names of what is stored, by another way than the driver's. */
  names(): Promise<string[]>
  end(): Promise<void>
}

async function s3(): Promise<Service> {
  const server = await cephServer()
  const bucket = await makeBucket(server)
  return {
    file: { driver: 's3', awsCredentials: server },
    bucket: bucket.name,
    place: `s3, bucket ${bucket.name} at ${server.endpoint}/\n`,
    names: () => bucket.keys(),
    end: () => bucket.remove(),
  }
}

async function gcs(): Promise<Service> {
  const server = await startGcsServer()
  const made = await fetch(`${server.url}/storage/v1/b?project=p`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"name":"files"}',
  })
  expect(made.status).to.equal(200)
  return {
    file: { driver: 'google-cloud', gcCredentials: { apiEndpoint: server.url, projectId: 'p' } },
    bucket: 'files',
    place: `gcs, bucket files at ${server.url}/\n`,
    names: async () => [...server.store.bucket('files').keys()],
    end: () => server.stop(),
  }
}

async function azure(): Promise<Service> {
  const server = await sharedAzurite()
  const container = server.newContainer()
  await container.create()
  return {
    file: { driver: 'azure', azCredentials: { connectionString: server.connectionString } },
    bucket: container.containerName,
    place: `azure, container ${container.containerName} at the account of connectionString\n`,
    async names() {
      const names: string[] = []
      for await (const { name } of container.listBlobsFlat()) names.push(name)
      return names
    },
    async end() {
      await container.delete()
    },
  }
}

const oneServer = ['--host', '127.0.0.1', '--port', '0']

async function startServers(file: object): Promise<{ hub: BinProcess; reader: BinProcess }> {
  const reader = await startBin('mandate-reader', { args: oneServer, file })
  await reader.until('stop ')
  const readUrl = ['--read-url', addressIn(reader, 'read at')]
  const hub = await startBin('mandate-hub', { args: [...oneServer, ...readUrl], file })
  await hub.until('stop ')
  return { hub, reader }
}

async function stop(running: BinProcess): Promise<number | null> {
  running.child.kill('SIGTERM')
  return await running.exit()
}

for (const [name, begin] of Object.entries({ s3, gcs, azure })) {
  describe(`hub and reader over ${name}`, () => {
    let service: Service

    before(async function () {
      this.timeout(installMs)
      service = await begin()
    })
    afterEach(endBins)
    after(() => service?.end())

    it('store, read, list and delete, each in a process of its own', async () => {
      const { hub, reader } = await startServers({ ...service.file, bucket: service.bucket })
      expect(hub.stderr()).to.include(service.place)
      expect(reader.stderr()).to.include(service.place)
      // Of the three, only the S3 server here deletes in two steps.
      expect(hub.stderr().includes('caution   this storage takes two steps to delete')).to.equal(
        name === 's3',
      )
      expect(reader.stderr()).to.not.include('caution')
      const at = addressIn(hub, 'write at')

      const stored = await store(at, 'notes/a b.txt', 'hello')
      expect(stored.status).to.equal(202)
      const { publicURL, etag } = (await stored.json()) as { publicURL: string; etag: string }
      expect(await service.names()).to.deep.equal([`${alice}/notes/a b.txt`])

      const read = await fetch(publicURL)
      expect([read.status, read.headers.get('content-type'), await read.text()]).to.deep.equal([
        200,
        'text/plain',
        'hello',
      ])
      expect(read.headers.get('etag')).to.equal(etag)

      const headers = { authorization: await authorizationAt(at) }
      const post = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: '{}' }
      const listed = await fetch(`${at}list-files/${alice}`, post)
      expect(((await listed.json()) as { entries: unknown }).entries).to.deep.equal(['notes/a b.txt'])

      const removed = await fetch(`${at}delete/${alice}/notes/a%20b.txt`, { method: 'DELETE', headers })
      expect([removed.status, (await fetch(publicURL)).status]).to.deep.equal([202, 404])
      expect(await service.names()).to.deep.equal([])
      expect([await stop(hub), await stop(reader)]).to.deep.equal([0, 0])
    })

    it('do not start where the bucket is missing, nor does a sweep make it, and say how it is made', async () => {
      const bucket = `missing-${randomBytes(4).toString('hex')}`
      const file = { ...service.file, bucket, readURL: 'http://r.test/' }
      const sweep = await runBin('mandate-hub', { args: ['sweep'], file: { ...file, createBucket: true } })
      expect(sweep.status, sweep.stderr).to.equal(1)
      for (const bin of ['mandate-hub', 'mandate-reader'] as const) {
        const { status, stdout, stderr } = await runBin(bin, { args: oneServer, file })
        expect(status, stderr).to.equal(1)
        expect(stdout).to.equal('')
        expect(stderr).to.match(
          new RegExp(
            `^error: the ${name} (bucket|container) ${bucket} cannot be used: .*createBucket: true`,
            'm',
          ),
        )
      }
    })
  })
}

describe('a start that fails at a cloud', () => {
  afterEach(endBins)

  const failing: [title: string, env: Record<string, string>, tells: string][] = [
    [
      'S3 has no region',
      {
        GAIA_DRIVER: 's3',
        GAIA_S3_ACCESS_KEY_ID: 'a',
        GAIA_S3_SECRET_ACCESS_KEY: 'SECRET',
        AWS_CONFIG_FILE: '/no/such/file',
      },
      'Region is missing); set awsCredentials.region',
    ],
    [
      'S3 has no credentials',
      {
        GAIA_DRIVER: 's3',
        MANDATE_S3_REGION: 'eu-central-1',
        AWS_CONFIG_FILE: '/no/such/file',
        AWS_SHARED_CREDENTIALS_FILE: '/no/such/file',
        AWS_EC2_METADATA_DISABLED: 'true',
      },
      'set awsCredentials.accessKeyId and awsCredentials.secretAccessKey',
    ],
    [
      'Google has no key file',
      { GAIA_DRIVER: 'gcs', GAIA_GCP_KEY_FILENAME: '/no/such/key.json' },
      'no such file or directory',
    ],
    [
      'the connection string of Azure is none',
      { GAIA_DRIVER: 'azure', MANDATE_AZURE_CONNECTION_STRING: 'AccountKey=SECRET' },
      'connectionString is not one of Azure Storage',
    ],
  ]
  for (const [title, env, tells] of failing) {
    it(`tells what is wrong, and no secret: ${title}`, async () => {
      const { status, stderr } = await runBin('mandate-serve', {
        args: [...oneServer, '--reader-port', '0'],
        env,
      })
      expect(status, stderr).to.equal(1)
      expect(stderr).to.include('cannot be used: ').and.include(tells).and.not.include('SECRET')
    })
  }
})

describe('the disk driver', () => {
  afterEach(endBins)

  it('starts without loading an SDK of a cloud', async () => {
    const hooks = `export function resolve(name, context, next) {
      if (/aws-sdk|@azure|@google-cloud/.test(name)) throw new Error('loaded ' + name)
      return next(name, context)
    }`
    const code = `import { register } from 'node:module'; register(${JSON.stringify(moduleOf(hooks))})`
    const nodeArgs = ['--import', moduleOf(code)]
    const args = [...oneServer, '--reader-port', '0']
    const running = await startBin('mandate-serve', { args, nodeArgs })
    await running.until('stop ')
    const { status, stderr } = await runBin('mandate-serve', {
      args: [...args, '--driver', 's3'],
      nodeArgs,
    })
    expect(status).to.equal(1)
    expect(stderr).to.include('loaded @aws-sdk')
  })
})

function moduleOf(code: string): string {
  return `data:text/javascript,${encodeURIComponent(code)}`
}
