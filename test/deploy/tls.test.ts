import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { expect } from 'chai'
import pino from 'pino'
import { type Certificate, readCertificate } from '../../deploy/process/tls/certificate.ts'
import { followCertificate } from '../../deploy/process/tls/follow-certificate.ts'
import { suiteNeedsProgram } from '../servers/debian-program.ts'
import { addressIn, type BinProcess, endBins, startBin, tempFolder } from './bins.ts'
import { makeCertificate } from './certificate.ts'
import { alice, alicesAuthorization } from './owner.ts'

const anywhere = { host: '127.0.0.1', port: 0, httpsPort: 0 }

interface Secure {
  running: BinProcess
  hub: string
  reader: string
  folder: string
  files: { certFile: string; keyFile: string }
}

async function startSecure(more: object = {}): Promise<Secure> {
  const folder = await tempFolder()
  const { certificate: certFile, key: keyFile } = await makeCertificate(folder, ['localhost'])
  const files = { certFile, keyFile }
  const file = {
    enableHttps: 'cert_files',
    tlsCertConfig: files,
    metrics: { enabled: false },
    hub: anywhere,
    reader: anywhere,
    ...more,
  }
  const running = await startBin('mandate-serve', { file })
  await running.until('stop ')
  return {
    running,
    folder,
    files,
    hub: addressIn(running, 'write at'),
    reader: addressIn(running, 'read at'),
  }
}

interface Reply {
  status: number
  body: string
  /** Of the certificate that the server showed. */
  serial: string
  hsts: string | undefined
}

/** One request that trusts this certificate alone. */
async function ask(
  url: string,
  ca: Buffer,
  options: { method?: string; headers?: object; body?: string } = {},
): Promise<Reply> {
  const { body = '', ...rest } = options
  const req = request(url, { ...rest, headers: { ...rest.headers }, ca, agent: false })
  req.end(body)
  const [res] = (await once(req, 'response')) as [IncomingMessage]
  // Once the answer has ended, its socket no longer knows.
  const serial = (res.socket as TLSSocket).getPeerCertificate().serialNumber
  const hsts = res.headers['strict-transport-security']
  return { status: res.statusCode ?? 0, serial, hsts, body: await textOf(res) }
}

async function textOf(res: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of res) text += String(chunk)
  return text
}

async function authorization({ hub, files }: Secure): Promise<string> {
  const info = JSON.parse((await ask(`${hub}hub_info`, readFileSync(files.certFile))).body) as {
    challenge_text: string
  }
  return alicesAuthorization(hub, info.challenge_text)
}

describe('a hub and reader with a certificate', () => {
  suiteNeedsProgram('openssl')
  afterEach(endBins)

  it('speak HTTPS, and tell clients to read by it', async () => {
    const secure = await startSecure()
    expect([secure.hub, secure.reader].every((url) => url.startsWith('https://localhost:'))).to.equal(true)
    const ca = readFileSync(secure.files.certFile)
    const headers = { authorization: await authorization(secure), 'content-type': 'text/plain' }
    const stored = await ask(`${secure.hub}store/${alice}/a`, ca, { method: 'POST', headers, body: 'hello' })
    expect(stored.status).to.equal(202)
    const { publicURL } = JSON.parse(stored.body) as { publicURL: string }
    expect(publicURL).to.equal(`${secure.reader}${alice}/a`)
    expect((await ask(publicURL, ca)).body).to.equal('hello')
  })

  for (const [hsts, told] of [
    [false, undefined],
    [true, 'max-age=31536000'],
  ] as const) {
    it(`tell browsers to use HTTPS alone only where an operator says so: hsts ${hsts}`, async () => {
      const secure = await startSecure({ hsts })
      const ca = readFileSync(secure.files.certFile)
      const answers = [await ask(`${secure.hub}hub_info`, ca), await ask(`${secure.reader}${alice}/none`, ca)]
      expect(answers.map((answer) => answer.hsts)).to.deep.equal([told, told])
    })
  }

  it('send plain HTTP on to it, method and all, and answer probes as they come', async () => {
    const plainPort = await freePort()
    const { hub } = await startSecure({ hub: { ...anywhere, port: plainPort } })
    const plain = `http://localhost:${plainPort}`
    const sent = await fetch(`${plain}/store/${alice}/a?b`, { method: 'POST', body: 'x', redirect: 'manual' })
    expect([sent.status, sent.headers.get('location')]).to.deep.equal([308, `${hub}store/${alice}/a?b`])
    expect(sent.headers.get('access-control-allow-origin')).to.equal('*')
    expect((await fetch(`${plain}/healthz`)).status).to.equal(200)
    expect((await fetch(`${plain}/readyz`)).status).to.equal(200)
  })

  it('serve plain HTTP beside it where that is asked for, and leave it out where that is', async () => {
    const port = await freePort()
    await startSecure({ plainHttp: 'serve', hub: { ...anywhere, port } })
    expect((await fetch(`http://127.0.0.1:${port}/hub_info`)).status).to.equal(200)
    await endBins()
    await startSecure({ plainHttp: 'off', hub: { ...anywhere, port } })
    const answer = await fetch(`http://127.0.0.1:${port}/hub_info`).catch(() => 'nobody')
    expect(answer).to.equal('nobody')
  })

  it('close the connection of who speaks something else, and go on', async () => {
    const { hub, files } = await startSecure()
    const socket = connect(Number(new URL(hub).port), '127.0.0.1')
    socket.end('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    socket.resume()
    await once(socket, 'close')
    expect((await ask(`${hub}hub_info`, readFileSync(files.certFile))).status).to.equal(200)
  })

  it('take up a new certificate without dropping a connection, and none that cannot be used', async () => {
    const secure = await startSecure()
    const { hub, files, folder, running } = secure
    const former = readFileSync(files.certFile)
    const formerKey = readFileSync(files.keyFile)
    const headers = {
      authorization: await authorization(secure),
      'content-length': 10,
      expect: '100-continue',
    }
    const first = await ask(`${hub}hub_info`, former)

    const agent = new Agent({ ca: former, keepAlive: true })
    const upload = request(`${hub}store/${alice}/slow`, { method: 'POST', headers, agent })
    upload.flushHeaders()
    await once(upload, 'continue')
    upload.write('01234')

    // A certificate that does not go with its key, as somebody may write who does one file after the other.
    await makeCertificate(folder, ['localhost'])
    const next = readFileSync(files.certFile)
    const nextKey = readFileSync(files.keyFile)
    writeFileSync(files.keyFile, formerKey)
    await running.until('the former one stays in force')
    expect((await ask(`${hub}hub_info`, former)).serial).to.equal(first.serial)

    writeFileSync(files.keyFile, nextKey)
    await running.until('a new certificate is in force')
    const second = await ask(`${hub}hub_info`, next)
    expect([second.status, second.serial === first.serial]).to.deep.equal([200, false])

    const answered = once(upload, 'response') as Promise<[IncomingMessage]>
    upload.end('56789')
    expect((await answered)[0].statusCode).to.equal(202)
    agent.destroy()
  }).timeout(30_000)

  it('keep one that is valid where the new one has expired, and tell of that, at the start too', async () => {
    const folder = await tempFolder()
    const { certificate: certFile, key: keyFile } = await makeCertificate(folder, ['localhost'], 3)
    const files = { certFile, keyFile }
    const first = readCertificate(files)
    const dayMs = 86_400_000
    const told: string[] = []
    const logger = pino({ base: null }, { write: (line) => void told.push(JSON.parse(line).msg) })
    const taken: Certificate[] = []
    const follow = (nowMs: number) =>
      followCertificate({ files, first, logger, onChange: (one) => taken.push(one), now: () => nowMs })
    const until = async (text: string) => {
      while (!told.includes(text)) await sleep(50)
    }

    const valid = follow(Date.now() + 2 * dayMs)
    await makeCertificate(folder, ['localhost'], 1)
    await until('the new certificate has expired; the former one stays in force')
    expect(taken).to.deep.equal([])
    await makeCertificate(folder, ['localhost'], 4)
    await until('a new certificate is in force')
    expect(taken).to.have.lengthOf(1)
    valid.stop()

    const expired = follow(Date.now() + 5 * dayMs)
    await until('the certificate has expired')
    await until('a new certificate is in force, and has expired')
    expired.stop()
  }).timeout(15_000)

  it('take up one that was written while they started', async () => {
    const folder = await tempFolder()
    const { certificate: certFile, key: keyFile } = await makeCertificate(folder, ['localhost'])
    const first = readCertificate({ certFile, keyFile })
    await makeCertificate(folder, ['localhost'])
    const logger = pino({ level: 'silent' })
    const taken = await new Promise<Certificate>((resolve) => {
      const { stop } = followCertificate({
        files: { certFile, keyFile },
        first,
        logger,
        onChange(certificate) {
          stop()
          resolve(certificate)
        },
      })
    })
    expect(taken.context.cert).to.deep.equal(readFileSync(certFile))
  }).timeout(5_000)

  it('finish an upload under way at SIGTERM', async () => {
    const secure = await startSecure()
    const ca = readFileSync(secure.files.certFile)
    const headers = {
      authorization: await authorization(secure),
      'content-length': 10,
      expect: '100-continue',
    }
    const upload = request(`${secure.hub}store/${alice}/slow`, { method: 'POST', headers, ca, agent: false })
    upload.flushHeaders()
    await once(upload, 'continue')
    upload.write('01234')
    const answered = once(upload, 'response') as Promise<[IncomingMessage]>
    secure.running.child.kill('SIGTERM')
    await secure.running.until('"stopping"')
    upload.end('56789')
    const [res] = await answered
    res.resume()
    expect([res.statusCode, await secure.running.exit()]).to.deep.equal([202, 0])
  })

  it('do not start with one that cannot be used, and say which key of the configuration names it', async () => {
    const folder = await tempFolder()
    const { certificate, key } = await makeCertificate(folder, ['localhost'])
    const wrong = [
      { certFile: certificate, keyFile: `${folder}/none` },
      { certFile: key, keyFile: certificate },
    ]
    for (const tlsCertConfig of wrong) {
      const file = { enableHttps: 'cert_files', tlsCertConfig, hub: anywhere, reader: anywhere }
      const failed = await startBin('mandate-serve', { file })
      expect(await failed.exit()).to.equal(1)
      expect(failed.stderr()).to.include('the certificate of tlsCertConfig cannot be used')
    }
  })
})

/** One that nobody listens at for the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (typeof address !== 'object' || address === null) throw new Error('no free port')
  return address.port
}
