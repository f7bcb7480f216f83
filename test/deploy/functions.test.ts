import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { expect } from 'chai'
import { maxAnswerBytes } from '../../deploy/aws-lambda/answer.ts'
import { type LambdaHandler, lambdaHandler } from '../../deploy/aws-lambda/handle.ts'
import { artefacts } from '../../deploy/functions/artefacts.ts'
import { startFunction } from '../../deploy/functions/start-function.ts'
import { artefact } from '../e2e/entries/artefacts.ts'
import { alice } from '../hub/people.ts'
import { serverName, v1Token } from '../hub/tokens.ts'
import { debianProgram, suiteNeedsProgram } from '../servers/debian-program.ts'
import { endBins, tempFolder } from './bins.ts'

const run = promisify(execFile)

const functionUrl = 'abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-central-1.on.aws'
const httpApi = 'a1b2c3d4e5.execute-api.eu-central-1.amazonaws.com'

interface EventParts {
  domainName?: string
  method?: string
  rawPath: string
  rawQueryString?: string
  headers?: Record<string, string>
  body?: string
  isBase64Encoded?: boolean
  sourceIp?: string
}

/** An event as AWS records them. */
function eventOf({
  domainName = functionUrl,
  method = 'GET',
  sourceIp = '192.0.2.7',
  ...parts
}: EventParts): APIGatewayProxyEventV2 {
  const { rawPath, rawQueryString = '', headers = {}, body, isBase64Encoded = false } = parts
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    cookies: ['a=b'],
    headers: {
      host: domainName,
      'x-amzn-trace-id': 'Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e',
      'x-forwarded-for': sourceIp,
      ...headers,
    },
    requestContext: {
      accountId: 'anonymous',
      apiId: domainName.split('.')[0] ?? '',
      domainName,
      domainPrefix: domainName.split('.')[0] ?? '',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp, userAgent: 'curl/8.5.0' },
      requestId: 'e1506fd5-9e7b-434f-bd42-4f8fa224b599',
      routeKey: '$default',
      stage: '$default',
      time: '12/Mar/2026:19:03:58 +0000',
      timeEpoch: 1_773_342_238_000,
    },
    ...(body === undefined ? {} : { body }),
    isBase64Encoded,
  }
}

function bytesOf({ body = '', isBase64Encoded }: APIGatewayProxyStructuredResultV2): Buffer {
  return Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8')
}

type Invoke = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>

/** Invokes as Lambda does, with so much time until it would end the function. */
function within(leftMs: number, handler: LambdaHandler): Invoke {
  return (event) => handler(event, { getRemainingTimeInMillis: () => leftMs })
}

describe('hub and reader behind events of AWS', () => {
  let hub: Invoke
  let reader: Invoke
  let env: Record<string, string>
  before(async () => {
    env = {
      GAIA_DISK_STORAGE_ROOT_DIR: await tempFolder(),
      MANDATE_DURABILITY: 'none',
      MANDATE_LOG_LEVEL: 'silent',
      GAIA_SERVER_NAME: serverName,
      MANDATE_PEER_REQUESTS_PER_MINUTE: '100',
    }
    hub = within(30_000, await lambdaHandler('hub', { ...env, GAIA_READ_URL: 'https://files.example/' }))
    reader = within(30_000, await lambdaHandler('reader', env))
  })
  after(endBins)

  const authorization = `bearer ${v1Token(alice)}`
  const store = (path: string, body: string, parts: Partial<EventParts> = {}) =>
    hub(
      eventOf({
        method: 'POST',
        rawPath: `/store/${alice.address}/${path}`,
        body,
        ...parts,
        headers: { authorization, ...parts.headers },
      }),
    )
  const publicUrl = async (path: string, domainName: string) => {
    const result = await store(path, 'x', { domainName })
    return (JSON.parse(bytesOf(result).toString()) as { publicURL?: string }).publicURL
  }

  // What function URLs and HTTP APIs make of the same requests: the latter decode the path.
  for (const [sent, asHttpApi] of [
    ['a%20b', 'a b'],
    ['100%25', '100%'],
    ['100%2525', '100%25'],
    ['%C3%BC', 'ü'],
    ['%23', '#'],
    ['x+y', 'x+y'],
  ] as const) {
    it(`take ${sent} for the same name, as a function URL tells it and as an HTTP API does`, async () => {
      const name = `https://files.example/${alice.address}/${encodeURIComponent(decodeURIComponent(sent))}`
      expect(await publicUrl(sent, functionUrl)).to.equal(name)
      expect(await publicUrl(asHttpApi, httpApi)).to.equal(name)
    })
  }

  it('escape what no request target may hold, and pass on the query', async () => {
    const name = `https://files.example/${alice.address}/%C3%BC%20%23x%25`
    expect(await publicUrl('ü #x%25', functionUrl)).to.equal(name)
    expect((await store('a\nb', 'x')).statusCode).to.equal(403)
    expect(
      (await reader(eventOf({ rawPath: '/healthz', rawQueryString: 'a=%20b&ü= #' }))).statusCode,
    ).to.equal(200)
    expect((await hub(eventOf({ rawPath: '/\ud800', domainName: httpApi }))).statusCode).to.equal(400)
  })

  it('take bodies as base64 and as text, and answer in base64', async () => {
    const bytes = Buffer.from([0, 255, 254, 128])
    const asBase64 = { isBase64Encoded: true, headers: { 'content-length': '4' } }
    expect((await store('b', bytes.toString('base64'), asBase64)).statusCode).to.equal(202)
    const read = await reader(eventOf({ rawPath: `/${alice.address}/b` }))
    expect(read.isBase64Encoded).to.equal(true)
    expect(bytesOf(read)).to.deep.equal(bytes)
    expect((await store('b', 'grün', { headers: { 'content-length': '5' } })).statusCode).to.equal(202)
  })

  // A byte that is not UTF-8, three that are the beginning of a character, and neither with a word of how many were sent.
  for (const told of ['1', '3', undefined]) {
    it(`refuse a body that may have lost bytes on its way, and keep what was there: of ${told ?? 'no'} bytes, it was told`, async () => {
      await store('lossy', 'kept')
      const headers = {
        'content-type': 'text/plain',
        ...(told === undefined ? {} : { 'content-length': told }),
      }
      const refused = await store('lossy', '\ufffd', { headers })
      expect(refused.statusCode).to.equal(400)
      expect(refused.headers).to.include({ 'Access-Control-Allow-Origin': '*' })
      expect(bytesOf(refused).toString()).to.include('application/octet-stream')
      const read = await reader(eventOf({ rawPath: `/${alice.address}/lossy` }))
      expect(bytesOf(read).toString()).to.equal('kept')
    })
  }

  it('store U+FFFD that comes as bytes', async () => {
    const bytes = Buffer.from('\ufffd')
    await store('replacement', bytes.toString('base64'), { isBase64Encoded: true })
    const read = await reader(eventOf({ rawPath: `/${alice.address}/replacement` }))
    expect(bytesOf(read)).to.deep.equal(bytes)
  })

  it('answer 503 that every page can read before Lambda ends them', async () => {
    const late = within(0, await lambdaHandler('reader', env))
    const { statusCode, headers, body } = await late(eventOf({ rawPath: `/${alice.address}/any` }))
    expect(statusCode).to.equal(503)
    expect(headers).to.include({ 'Access-Control-Allow-Origin': '*', 'Retry-After': '5' })
    expect(body).to.include('did not come in time')
  })

  it('refuse answers that Lambda would not let through, in words, and give ranges of such a file', async () => {
    const size = maxAnswerBytes + 1
    for (const length of [maxAnswerBytes, size]) {
      const body = Buffer.alloc(length).toString('base64')
      expect((await store('large', body, { isBase64Encoded: true })).statusCode).to.equal(202)
      const rawPath = `/${alice.address}/large`
      const read = await reader(eventOf({ rawPath }))
      expect(JSON.stringify(read).length).to.be.below(6 * 1024 * 1024)
      expect(read.statusCode).to.equal(length === size ? 413 : 200)
      if (length < size) continue
      expect(bytesOf(read).toString())
        .to.match(/PayloadTooLargeError/)
        .and.match(/ranges.*reader\.redirect/)
      expect(read.headers).to.include({ 'Access-Control-Allow-Origin': '*' })
      const part = await reader(eventOf({ rawPath, headers: { range: `bytes=${size - 2}-` } }))
      expect([part.statusCode, bytesOf(part).length]).to.deep.equal([206, 2])
      expect((await reader(eventOf({ method: 'HEAD', rawPath }))).headers).to.include({
        'Content-Length': String(size),
      })
    }
  })

  it('refuse headers that are none, without a word of what stood in them', async () => {
    const result = await hub(eventOf({ rawPath: '/hub_info', headers: { authorization: 'secret\r\nx: y' } }))
    expect([result.statusCode, bytesOf(result).toString().includes('secret')]).to.deep.equal([400, false])
  })

  it('count requests by the address that AWS names, whatever mallory says', async () => {
    const from = (sourceIp: string, claimed: string) =>
      hub(
        eventOf({
          rawPath: '/hub_info',
          sourceIp,
          headers: { 'x-forwarded-for': claimed, 'X-Forwarded-For': claimed },
        }),
      )
    const statuses = new Set<number | undefined>()
    for (let i = 0; i < 120; i++) statuses.add((await from('203.0.113.9', `192.0.2.${i}`)).statusCode)
    expect(statuses).to.deep.equal(new Set([200, 429]))
    expect((await from('203.0.113.10', '203.0.113.9')).statusCode).to.equal(200)
  })

  it('count requests that come by a trusted proxy by the address that it names', async () => {
    const trusting = {
      ...env,
      MANDATE_TRUSTED_PROXIES: '198.51.100.0/24',
      MANDATE_PEER_REQUESTS_PER_MINUTE: '3',
    }
    const behind = within(30_000, await lambdaHandler('reader', trusting))
    const from = async (forwarded: string) => {
      const headers = { 'x-forwarded-for': forwarded }
      const event = eventOf({ rawPath: '/openapi.json', sourceIp: '198.51.100.7', headers })
      return (await behind(event)).statusCode
    }
    for (let i = 0; i < 3; i++) expect(await from(`192.0.2.${i}, 203.0.113.20`)).to.equal(200)
    expect(await from('192.0.2.9, 203.0.113.20')).to.equal(429)
    expect(await from('192.0.2.9, 203.0.113.21')).to.equal(200)
  })
})

describe('a function', () => {
  after(endBins)
  const refusalOf = (env: Record<string, string>) =>
    startFunction('hub', { MANDATE_LOG_LEVEL: 'silent', ...env }).then(
      () => expect.fail('it started'),
      (error: unknown) => String(error),
    )

  it('does not start without the address of a reader, or with a slip in a variable', async () => {
    expect(await refusalOf({})).to.include('GAIA_READ_URL')
    const slip = { GAIA_READ_URL: 'https://files.example/', GAIA_WHITELIST: 'nobody' }
    expect(await refusalOf(slip)).to.include('whitelist')
  })

  it('can be reached from its own machine only, whatever the variables say', async () => {
    const env = {
      GAIA_DISK_STORAGE_ROOT_DIR: await tempFolder(),
      GAIA_PORT: '80',
      MANDATE_HOST: '0.0.0.0',
      MANDATE_LOG_LEVEL: 'silent',
    }
    const server = await startFunction('reader', env)
    const reaches = (host: string) =>
      new Promise((resolve) => {
        const { port } = server
        const sent = request({ host, port, path: '/healthz', agent: false }, (answer) =>
          resolve(answer.resume().statusCode),
        )
        sent.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code)).end()
      })
    expect([await reaches('127.0.0.1'), await reaches('127.0.0.2')]).to.deep.equal([200, 'ECONNREFUSED'])
    await server.close()
  })
})

describe('the artefacts', () => {
  let storage: { server: Server; env: Record<string, string> }
  before(async () => {
    storage = await closedStorage()
  })
  after(async () => {
    storage.server.closeAllConnections()
    storage.server.close()
    await endBins()
  })
  suiteNeedsProgram('unzip')

  for (const { name, driver, withPackages } of artefacts) {
    it(`(${name}) weigh less than 5 MB, and have all that they need`, async () => {
      const { zip, zipBytes } = await artefact(name)
      expect(zipBytes).to.be.below(5_000_000)
      const folder = await tempFolder()
      await run(await debianProgram('unzip'), ['-q', zip, '-d', folder])
      // Far from any other package. When all is loaded, the storage is asked.
      const env = { GAIA_DRIVER: driver, GAIA_READ_URL: 'https://files.example/', ...storage.env }
      const { stdout, stderr } = await run(
        process.execPath,
        ['--input-type=module', '--eval', probe, join(folder, 'app', 'index.mjs')],
        { env, cwd: folder },
      )
      expect(stdout, stderr).to.match(new RegExp(`StartError: the ${driver} `))
      const packages = withPackages ? 'native' : 'portable'
      expect((await stat(join(folder, 'app', 'index.mjs'))).mode & 0o444).to.equal(0o444)
      expect(stdout).to.include(`secp256k1 ${packages}`).and.include(`sodium-native ${packages}`)
    }).timeout(60_000)
  }

  it('have the SDK of one storage, and say so for another one', async () => {
    const { folder } = await artefact('aws-lambda-hub')
    const env = { GAIA_DRIVER: 'gcs', GAIA_READ_URL: 'https://files.example/' }
    const failed = await run(process.execPath, [join(folder, 'app', 'index.mjs')], { env }).catch(
      (error: { stderr: string }) => error,
    )
    expect(failed.stderr).to.include('has the SDK of the driver s3 alone')
  }).timeout(60_000)
})

/** A storage that lets nobody in. */
async function closedStorage() {
  const server = createServer((req, res) => {
    req.resume()
    res.writeHead(403).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const env = {
    MANDATE_S3_ENDPOINT: url,
    GAIA_S3_ACCESS_KEY_ID: 'key',
    GAIA_S3_SECRET_ACCESS_KEY: 'secret',
    MANDATE_AZURE_CONNECTION_STRING: `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=${url}/a;`,
    MANDATE_GCP_API_ENDPOINT: url,
    GAIA_GCP_PROJECT_ID: 'project',
  }
  return { server, env }
}

const probe = `
import { createRequire } from 'node:module'
const [code] = process.argv.slice(1)
const require = createRequire(code)
for (const [name, path] of [['secp256k1', 'secp256k1/bindings.js'], ['sodium-native', 'sodium-native']]) {
  let kind = 'portable'
  try { require(path); kind = 'native' } catch {}
  console.log(name, kind)
}
await import(code).catch((error) => console.log(String(error)))
process.exit()
`
