import { expect } from 'chai'
import { pino } from 'pino'
import type { Running } from '../../deploy/process/start.ts'
import { startServers } from '../../deploy/process/start.ts'
import { s3Options } from '../../deploy/process/store-options.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { startGcsServer } from '../servers/gcs.ts'
import { makeBucket, openToAll, type TestBucket } from '../servers/s3-bucket.ts'
import { configure, type Given, refusal } from './configure.ts'
import { alice, authorizationAt } from './owner.ts'

const onLoopback = { host: '127.0.0.1', port: 0 }

describe('the configuration of what goes past hub and reader', () => {
  const impossible: [string, Given, RegExp][] = [
    ['presigned URLs of a folder', { file: { reader: { redirect: 'presigned' } } }, /the driver is disk/],
    [
      'a public bucket that is nowhere',
      { file: { driver: 's3', reader: { redirect: 'public' } } },
      /redirectURL/,
    ],
    [
      'a public bucket that is the reader itself',
      {
        file: {
          driver: 's3',
          hub: { readURL: 'https://files.example.org' },
          reader: { redirect: 'public', redirectURL: 'https://files.example.org/' },
        },
      },
      /lead to itself/,
    ],
    ['another way', { env: { MANDATE_READER_REDIRECT: 'maybe' } }, /one of "off", "presigned", "public"/],
    ['an upload that may begin too late', { file: { hub: { directUploadLifetime: 301 } } }, /from 1 to 300/],
  ]
  for (const [title, given, problem] of impossible) {
    it(`stops the start: ${title}`, () => {
      expect(refusal(given).message).to.match(problem)
    })
  }

  for (const [title, file, warning] of [
    ['direct uploads over a folder', { hub: { directUploadThreshold: 1 } }, /directUploadThreshold/],
    [
      'direct uploads over Azure',
      {
        driver: 'azure',
        azCredentials: { accountName: 'a', accountKey: 'k' },
        hub: { directUploadThreshold: 1 },
      },
      /directUploadThreshold/,
    ],
    [
      'a public bucket that nobody is sent to',
      { reader: { redirectURL: 'https://b.example' } },
      /redirectURL/,
    ],
    [
      'presigned URLs of Azure without a key',
      { driver: 'azure', azCredentials: { accountName: 'a' }, reader: { redirect: 'presigned' } },
      /key of the Azure account/,
    ],
  ] as const) {
    it(`is named where it is not used: ${title}`, () => {
      expect(configure({ file }).warnings.filter((text) => warning.test(text))).to.have.length(1)
    })
  }

  it('has the storage tried for it only where it is asked for', () => {
    const options = (file: object) => s3Options(configure({ file: { driver: 's3', ...file } }).config)
    expect(options({}).presign).to.equal(undefined)
    expect(options({ hub: { directUploadThreshold: 0 } }).presign).to.equal(true)
    expect(options({ reader: { redirect: 'presigned' } }).presign).to.equal(true)
    const awsCredentials = { presignEndpoint: 'objects.example.org' }
    expect(options({ awsCredentials }).presignEndpoint).to.equal('https://objects.example.org')
  })
})

describe('hub and reader that bytes go past', () => {
  let bucket: TestBucket
  let file: object
  const running: Running[] = []
  before(async function () {
    this.timeout(installMs)
    const server = await cephServer()
    bucket = await makeBucket(server)
    file = { driver: 's3', bucket: bucket.name, awsCredentials: server, metrics: { enabled: false } }
  })
  afterEach(async () => {
    for (const servers of running.splice(0)) await servers.close()
  })
  after(() => bucket.remove())

  const start = async (more: object, lines: string[] = []): Promise<Running> => {
    const { config } = configure({ file: { ...more } })
    const logger = pino({}, { write: (line: string) => void lines.push(line) })
    const servers = await startServers({ config, kind: 'both', logger })
    running.push(servers)
    return servers
  }

  it('store by the storage alone, and read from it alone', async () => {
    const { hub, readUrlPrefix } = await start({
      ...file,
      hub: { ...onLoopback, directUploadThreshold: 1024 },
      reader: { ...onLoopback, redirect: 'presigned' },
    })
    const info = (await (await fetch(`${hub?.url}/hub_info`)).json()) as Record<string, unknown>
    expect(info.direct_upload_threshold).to.equal(1024)
    const answer = await fetch(`${hub?.url}/upload/${alice}/film.mp4`, {
      method: 'POST',
      headers: { authorization: await authorizationAt(`${hub?.url}/`) },
      body: JSON.stringify({ size: 5, contentType: 'video/mp4' }),
    })
    const { method, url, headers, publicURL } = (await answer.json()) as {
      method: string
      url: string
      headers: Record<string, string>
      publicURL: string
    }
    // As any client would that has the bytes at hand.
    const stored = await fetch(url, { method, headers, body: Buffer.from('a cat') })
    expect(stored.status).to.equal(200)
    expect(publicURL).to.equal(`${readUrlPrefix}${alice}/film.mp4`)
    const read = await fetch(publicURL)
    expect([read.redirected, read.headers.get('content-type'), await read.text()]).to.deep.equal([
      true,
      'video/mp4',
      'a cat',
    ])
  })

  it('begin without uploads that the storage does not hold to what was allowed, and say so', async () => {
    const server = await startGcsServer()
    server.store.createBucket('files')
    const lines: string[] = []
    try {
      const { hub } = await start(
        {
          driver: 'gcs',
          bucket: 'files',
          gcCredentials: { apiEndpoint: server.url, projectId: 'p' },
          metrics: { enabled: false },
          hub: { ...onLoopback, directUploadThreshold: 1024 },
          reader: onLoopback,
        },
        lines,
      )
      const info = (await (await fetch(`${hub?.url}/hub_info`)).json()) as Record<string, unknown>
      expect(info.direct_upload_threshold).to.equal(null)
      expect(lines.join('')).to.include('direct uploads are off')
    } finally {
      for (const servers of running.splice(0)) await servers.close()
      await server.stop()
    }
  })

  it('do not begin where the reader could send nobody to the storage', async () => {
    await openToAll(bucket)
    const awsCredentials = { endpoint: (await cephServer()).endpoint, anonymous: true }
    const reader = { ...onLoopback, redirect: 'presigned' }
    let problem = ''
    await start({ ...file, awsCredentials, hub: onLoopback, reader }).catch((error: unknown) => {
      problem = String(error)
    })
    expect(problem).to.match(/the storage presigns nothing/)
  })
})
