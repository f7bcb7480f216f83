import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { printConfig } from '../../deploy/process/config/print.ts'
import { openDriver } from '../../deploy/process/open-driver.ts'
import { StartError } from '../../deploy/process/start-error.ts'
import { rejection } from '../../drivers/conformance/harness.ts'
import { addressIn, type BinProcess, endBins, runBin, startBin, tempFolder } from './bins.ts'
import { configure, refusal } from './configure.ts'
import { alice, store } from './owner.ts'

const example = fileURLToPath(new URL('../../drivers/example-plugin/index.js', import.meta.url))
const ports = ['--host', '127.0.0.1', '--port', '0']

async function stop(running: BinProcess): Promise<void> {
  running.child.kill('SIGTERM')
  expect(await running.exit(), running.stderr()).to.equal(0)
}

describe('hub and reader over a driver of somebody else', () => {
  afterEach(endBins)

  it('named by a path from the configuration file, with its settings, store, read, and keep what they have', async () => {
    const folder = await tempFolder()
    await mkdir(join(folder, 'etc'))
    const config = join(folder, 'etc/hub.json')
    const driverSettings = { location: join(folder, 'level') }
    await writeFile(config, JSON.stringify({ driver: relative(dirname(config), example), driverSettings }))
    const together = await startBin('mandate-serve', {
      args: [...ports, '--reader-port', '0', '--config', config],
    })
    await together.until('stop ')
    expect(together.stderr()).to.match(/ storage +driver \.\.\/.*\/index\.js\n/)
    expect((await store(addressIn(together, 'write at'), 'notes/a b.txt', 'hello')).status).to.equal(202)
    const read = async (server: BinProcess) => {
      const answer = await fetch(`${addressIn(server, 'read at')}${alice}/notes/a%20b.txt`)
      return [answer.status, answer.headers.get('content-type'), await answer.text()]
    }
    expect(await read(together)).to.deep.equal([200, 'text/plain', 'hello'])
    await stop(together)

    // The database lets one process in at a time: here, a reader alone.
    const reader = await startBin('mandate-reader', { args: [...ports, '--config', config] })
    await reader.until('stop ')
    expect(await read(reader)).to.deep.equal([200, 'text/plain', 'hello'])
    await stop(reader)
  })

  it('named by its package, found from the configuration file, is told who opens it and what is set', async () => {
    const folder = await tempFolder()
    const module = `export function createDriver(settings, context) {
      throw new Error('told ' + JSON.stringify([settings, context]))
    }`
    await mkdir(join(folder, 'etc/node_modules/their-driver'), { recursive: true })
    await writeFile(join(folder, 'etc/node_modules/their-driver/package.json'), '{"main":"main.mjs"}')
    await writeFile(join(folder, 'etc/node_modules/their-driver/main.mjs'), module)
    const config = join(folder, 'etc/config.json')
    const driverSettings = { a: { b: [1, null, ''] }, none: null, empty: '' }
    await writeFile(config, JSON.stringify({ driver: 'their-driver', driverSettings }))
    for (const [bin, access] of [
      ['mandate-hub', 'write'],
      ['mandate-reader', 'read'],
      ['mandate-serve', 'write'],
    ] as const) {
      const env = { MANDATE_DRIVER_SETTINGS: '{"password":"from the environment"}' }
      const { status, stderr } = await runBin(bin, { args: [...ports, '--config', config], env })
      expect(status, stderr).to.equal(1)
      const told = { ...driverSettings, password: 'from the environment' }
      expect(stderr).to.include(
        `error: the driver their-driver cannot be used: told ${JSON.stringify([told, { access }])}`,
      )
    }
  })

  for (const [driver, tells] of [
    ['./none.js', '"./none.js" is not there (looked in '],
    ['mandate-driver-none', '"mandate-driver-none" is not installed in '],
    ['dsk', 'nor beside Mandate; built in are disk, memory, s3, gcs, azure'],
  ] as const) {
    it(`ends with status 2 where there is no such driver: ${driver}`, async () => {
      const { status, stdout, stderr } = await runBin('mandate-serve', { file: { driver } })
      expect([status, stdout]).to.deep.equal([2, ''])
      expect(stderr).to.include(tells)
    })
  }
})

describe('opening a driver of somebody else', () => {
  afterEach(endBins)

  /** A module whose driver says of conditions what is asked for, and a word of each call. */
  async function pluginFolder(atomicConditions: boolean): Promise<string> {
    const folder = await tempFolder()
    const methods = ['stat', 'read', 'write', 'delete', 'copy', 'list', 'listBuckets', 'check', 'close']
    const driver = `{ name: 'theirs', capabilities: { atomicConditions: ${atomicConditions}, atomicDeletes: true, presign: false, range: true },
      ${methods.map((method) => `async ${method}() { return '${method}' }`).join(',')} }`
    await writeFile(join(folder, 'theirs.mjs'), `export const createDriver = () => (${driver})`)
    return folder
  }
  const file = { driver: './theirs.mjs' }

  it('refuses one that does not hold to conditions, unless that was accepted, or it is only read from', async () => {
    const folder = await pluginFolder(false)
    const error = await rejection(openDriver(configure({ file }).config, { folder }))
    expect(error).to.be.instanceOf(StartError)
    expect(error).to.have.property('message').that.includes('allowUnsafeConditions: true')
    const unsafe = configure({ file: { ...file, allowUnsafeConditions: true } }).config
    expect((await openDriver(unsafe, { folder })).name).to.equal('theirs')
    expect((await openDriver(configure({ file }).config, { folder, access: 'read' })).name).to.equal('theirs')
  })

  it('asks one that is only read from to change nothing', async () => {
    const folder = await pluginFolder(true)
    const driver = await openDriver(configure({ file }).config, { folder, access: 'read' })
    const call = Reflect.get(driver, 'delete') as () => Promise<unknown>
    expect(await rejection(call())).to.have.property('message', 'the storage was opened for reading only')
    expect(await (Reflect.get(driver, 'stat') as () => Promise<unknown>)()).to.equal('stat')
  })
})

describe('the settings of a driver of somebody else', () => {
  const secret = 'TOP-SECRET'

  it('are handed on as they stand, whatever they are', () => {
    const driverSettings = { hub: 1, deep: { list: [{ a: null }], empty: '' }, none: null }
    const { config, warnings } = configure({ file: { driver: './d.js', driverSettings } })
    expect(config.driverSettings).to.deep.equal(driverSettings)
    expect(warnings).to.deep.equal([])
  })

  it('come from TOML too', () => {
    const file = 'driver = "their-driver"\n[driverSettings]\nport = 1\n[driverSettings.tls]\nca = "x"\n'
    const { config } = configure({ file, format: 'toml' })
    expect(config.driverSettings).to.deep.equal({ port: 1, tls: { ca: 'x' } })
  })

  it('come from the variable before the file, member by member', () => {
    const file = { driver: './d.js', driverSettings: { a: { x: 1 }, b: 2 } }
    const env = { MANDATE_DRIVER_SETTINGS: '{"a":{"y":2},"c":3}' }
    expect(configure({ file, env }).config.driverSettings).to.deep.equal({ a: { y: 2 }, b: 2, c: 3 })
  })

  it('show no value in --print-config, for each may be secret', () => {
    const driverSettings = { password: secret, list: [secret], deep: { pin: 1234, token: secret } }
    const printed = printConfig(configure({ file: { driver: './d.js', driverSettings } }).config)
    expect(printed).to.not.include(secret).and.not.include('1234')
    expect((JSON.parse(printed) as { driverSettings: unknown }).driverSettings).to.deep.equal({
      password: '(hidden)',
      list: '(hidden)',
      deep: { pin: '(hidden)', token: '(hidden)' },
    })
  })

  for (const [title, given] of [
    ['in a file', { file: { driverSettings: secret } }],
    ['in the variable', { env: { MANDATE_DRIVER_SETTINGS: `{"password":"${secret}"` } }],
    ['in the variable, as a list', { env: { MANDATE_DRIVER_SETTINGS: `["${secret}"]` } }],
  ] as const) {
    it(`are refused where they are no section, and not told: ${title}`, () => {
      const { message } = refusal(given)
      expect(message).to.include('driverSettings = (hidden)').and.include('as JSON').and.not.include(secret)
    })
  }

  it('are warned about beside a driver that is built in', () => {
    const { warnings } = configure({ file: { driverSettings: { location: 'x' } } })
    expect(warnings.join()).to.include('not used: driverSettings (the driver disk')
  })
})

describe('the name of a driver', () => {
  for (const driver of [
    './d.js',
    '../d',
    '/opt/d/index.mjs',
    'their-driver',
    '@scope/driver',
    '@scope/driver/main.js',
  ]) {
    it(`may be ${driver}`, () => {
      expect(configure({ file: { driver } }).config.driver).to.equal(driver)
    })
  }

  for (const driver of [
    'a b',
    'https://x.test/d.js',
    '.',
    './',
    '..',
    'C:\\d.js',
    '@scope',
    'data:text/javascript,1',
  ]) {
    it(`may not be ${driver}`, () => {
      expect(refusal({ file: { driver } }).message).to.include('the name of a package, or a path')
    })
  }
})

describe('the flag --bucket', () => {
  it('goes before the variable and the file', () => {
    const given = { file: { bucket: 'file' }, env: { GAIA_BUCKET_NAME: 'variable' } }
    expect(configure(given).config.bucket).to.equal('variable')
    expect(configure({ ...given, flags: { '--bucket': 'flag' } }).config.bucket).to.equal('flag')
  })
})
