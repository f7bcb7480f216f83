import { once } from 'node:events'
import { mkdir, rename } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { serverCommand } from '../../deploy/container/first-process.ts'
import { endBins, runBin, startBin, tempFolder } from './bins.ts'
import { makeCertificate } from './certificate.ts'

describe('--check-health', () => {
  const open: Server[] = []
  afterEach(async () => {
    await endBins()
    for (const server of open.splice(0)) server.close()
  })

  /** Ports that nobody has. */
  async function freePorts(count: number): Promise<string[]> {
    const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
    await Promise.all(servers.map((server) => once(server, 'listening')))
    const ports = servers.map((server) => String((server.address() as { port: number }).port))
    await Promise.all(servers.map((server) => once(server.close(), 'close')))
    return ports
  }

  it('asks hub and reader at the ports of flags, environment and file, and tells what they answer', async () => {
    const [hub = '', reader = ''] = await freePorts(2)
    const options = {
      args: ['--port', hub],
      env: { MANDATE_READER_PORT: reader, MANDATE_METRICS_ENABLED: 'false' },
      file: { hub: { host: '127.0.0.1' }, reader: { host: '127.0.0.1' } },
    }
    const asked = { ...options, args: [...options.args, '--check-health'] }
    const before = await runBin('mandate-serve', asked)
    expect([before.status, before.stdout]).to.deep.equal([
      1,
      `hub    http://localhost:${hub}/readyz does not answer: ECONNREFUSED\n` +
        `reader http://localhost:${reader}/readyz does not answer: ECONNREFUSED\n`,
    ])
    const running = await startBin('mandate-serve', options)
    await running.until('"listening"')
    const { status, stdout, stderr } = await runBin('mandate-serve', asked)
    expect([status, stderr]).to.deep.equal([0, ''])
    expect(stdout).to.equal(
      `hub    http://localhost:${hub}/readyz answers 200\nreader http://localhost:${reader}/readyz answers 200\n`,
    )
    // A hub alone is not asked for a reader.
    const alone = await runBin('mandate-hub', asked)
    expect([alone.status, alone.stdout.split('\n').length]).to.deep.equal([0, 2])
  })

  it('tells of a storage that is gone, and of a server that says nothing', async function () {
    this.timeout(20_000)
    const folder = join(await tempFolder(), 'files')
    const [port = ''] = await freePorts(1)
    const args = ['--host', '127.0.0.1', '--port', port, '--data', folder]
    const running = await startBin('mandate-reader', { args })
    await running.until('"listening"')
    await rename(folder, `${folder}-gone`)
    const gone = await runBin('mandate-reader', { args: [...args, '--check-health'] })
    expect([gone.status, gone.stdout]).to.deep.equal([
      1,
      `reader http://localhost:${port}/readyz answers 503\n`,
    ])
    const silent = createServer(() => {}).listen(0, '127.0.0.1')
    open.push(silent)
    await once(silent, 'listening')
    const deaf = String((silent.address() as { port: number }).port)
    const still = await runBin('mandate-reader', { args: ['--port', deaf, '--check-health'] })
    expect([still.status, still.stdout]).to.deep.equal([
      1,
      `reader http://localhost:${deaf}/readyz does not answer: nothing within 4 s\n`,
    ])
  })

  it('asks by HTTPS where nothing else is served, whatever name the certificate is for', async () => {
    const folder = await tempFolder()
    await mkdir(join(folder, 'files'))
    const { certificate: certFile, key: keyFile } = await makeCertificate(folder, ['hub.example.org'])
    const [httpsPort = ''] = await freePorts(1)
    const options = {
      file: { enableHttps: 'cert_files', tlsCertConfig: { certFile, keyFile }, plainHttp: 'off' },
      args: ['--host', '127.0.0.1', '--data', join(folder, 'files')],
      env: { GAIA_HTTPS_PORT: httpsPort, MANDATE_METRICS_ENABLED: 'false' },
    }
    const running = await startBin('mandate-reader', options)
    await running.until('"listening"')
    const asked = { ...options, args: [...options.args, '--check-health'] }
    const { status, stdout } = await runBin('mandate-reader', asked)
    expect([status, stdout]).to.deep.equal([0, `reader https://localhost:${httpsPort}/readyz answers 200\n`])
  })

  it('cannot ask at a port that is any free one, and says so', async () => {
    const { status, stdout } = await runBin('mandate-reader', { args: ['--port', '0', '--check-health'] })
    expect([status, stdout]).to.deep.equal([
      1,
      'reader port 0 is any free one: which, only the server knows\n',
    ])
  })
})

describe('the health check of the container', () => {
  const line = (...words: string[]) => words.map((word) => `${word}\0`).join('')
  const bins = 'build/deploy/process/bin'

  it('takes the flags of the server that the container runs, with an init before it or not', () => {
    const hub = ['node', `${bins}/mandate-hub.js`, '--config', '/etc/mandate/config.json']
    const expected = { kind: 'hub', argv: ['--config', '/etc/mandate/config.json'] }
    expect(serverCommand(line(...hub))).to.deep.equal(expected)
    expect(serverCommand(line('/sbin/docker-init', '--', ...hub))).to.deep.equal(expected)
    expect(serverCommand(line('node', `${bins}/mandate-reader.js`, '--data', ''))).to.deep.equal({
      kind: 'reader',
      argv: ['--data', ''],
    })
  })

  it('asks what the image starts by itself where the first process is none of ours', () => {
    expect(serverCommand(line('/pause'))).to.deep.equal({ kind: 'both', argv: [] })
    expect(serverCommand('')).to.deep.equal({ kind: 'both', argv: [] })
  })
})
