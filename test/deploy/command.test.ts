import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import { flagName, rowsWithFlags } from '../../deploy/process/config/sources.ts'
import { type Bin, type BinOptions, endBins, runBin, tempFolder } from './bins.ts'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const kinds = { 'mandate-hub': 'hub', 'mandate-reader': 'reader', 'mandate-serve': 'both' } as const

describe('the commands', () => {
  afterEach(endBins)

  for (const bin of ['mandate-hub', 'mandate-reader', 'mandate-serve'] as const) {
    it(`${bin} --help names every flag with its variable, and the keys of the file`, async () => {
      const { status, stdout, stderr } = await runBin(bin, { args: ['--help'] })
      expect([status, stderr]).to.deep.equal([0, ''])
      const words = stdout.replace(/\s+/g, ' ')
      for (const { flag, env } of rowsWithFlags(kinds[bin])) {
        expect(words)
          .to.include(` ${flagName(flag)} <`)
          .and.include(`(${env}; default `)
      }
      for (const flag of ['--config', '--print-config', '--check-health', '--version', '--help']) {
        expect(words).to.include(flag)
      }
      expect(words).to.include('diskSettings.storageRootDirectory')
    })

    it(`${bin} --version names the version of the package`, async () => {
      const { status, stdout } = await runBin(bin, { args: ['--version'] })
      expect([status, stdout]).to.deep.equal([0, `${bin} ${version}\n`])
    })

    it(`${bin} --print-config prints what is in force, secrets masked`, async () => {
      const { status, stdout } = await runBin(bin, {
        args: ['--print-config', '--data', 'elsewhere'],
        env: { GAIA_S3_SECRET_ACCESS_KEY: 'TOP-SECRET' },
        file: { diskSettings: { storageRootDirectory: 'here', durability: 'none' } },
      })
      expect(status).to.equal(0)
      const printed = JSON.parse(stdout) as Record<string, unknown>
      expect(printed.diskSettings).to.deep.equal({ storageRootDirectory: 'elsewhere', durability: 'none' })
      expect(printed.awsCredentials).to.deep.equal({ anonymous: false, secretAccessKey: '(hidden)' })
    })
  }

  it('--print-config tells of an S3 file of Gaia without asking the storage', async () => {
    const file = { driver: 'aws', bucket: 'b', readURL: 'https://b.test/' }
    const { status, stdout } = await runBin('mandate-hub', { args: ['--print-config'], file })
    expect([status, (JSON.parse(stdout) as { driver: string }).driver]).to.deep.equal([0, 's3'])
  })

  interface Refused {
    title: string
    bin?: Bin
    options: BinOptions
    tells: string[]
  }
  const refused: Refused[] = [
    {
      title: 'an unknown flag',
      options: { args: ['--prot', '1'] },
      tells: ["unknown option '--prot'", '--port'],
    },
    {
      title: 'a flag without its value',
      options: { args: ['--port'] },
      tells: ["'--port <number>' argument missing"],
    },
    {
      title: 'a word too many',
      options: { args: ['swep'] },
      tells: ['too many arguments', 'See: mandate-serve --help'],
    },
    {
      title: 'a flag of the hub at the reader',
      bin: 'mandate-reader',
      options: { args: ['--read-url', 'http://r.test/'] },
      tells: ["unknown option '--read-url'"],
    },
    {
      title: 'a port that is no number',
      options: { args: ['--port', '12abc'] },
      tells: ['hub.port = "12abc" (flag --port)'],
    },
    {
      title: 'a file that is not there',
      options: { args: ['--config', 'no.json'] },
      tells: ['"no.json" (flag --config): there is no such file'],
    },
    {
      title: 'a file of another kind',
      options: { args: ['--config', 'a.yaml'] },
      tells: ['"a.yaml"', '.json or .toml'],
    },
    {
      title: 'CONFIG_PATH that leads nowhere',
      options: { env: { CONFIG_PATH: 'no.toml' } },
      tells: ['environment variable CONFIG_PATH', 'no such file'],
    },
    {
      title: 'a fault in config.json',
      options: { file: { hub: { pagesize: 5 } } },
      tells: ['hub.pagesize', 'did you mean hub.pageSize?'],
    },
    {
      title: 'a fault in the environment',
      options: { env: { GAIA_PAGE_SIZE: '0' } },
      tells: ['GAIA_PAGE_SIZE', 'from 1 to 4096'],
    },
    {
      title: 'half of a key of S3',
      options: { args: ['--driver', 's3'], env: { GAIA_S3_ACCESS_KEY_ID: 'AK' } },
      tells: [
        'awsCredentials.accessKeyId = "AK" (environment variable GAIA_S3_ACCESS_KEY_ID): goes with awsCredentials.secretAccessKey, which is not set',
      ],
    },
  ]
  for (const { title, bin = 'mandate-serve', options, tells } of refused) {
    it(`end with status 2 for ${title}`, async () => {
      const { status, stdout, stderr } = await runBin(bin, options)
      expect(status, stderr).to.equal(2)
      expect(stdout).to.equal('')
      for (const told of tells) expect(stderr).to.include(told)
      expect(stderr).not.to.match(/\n\s+at /)
    })
  }

  it('read the TOML file that CONFIG_PATH names, and --config before that', async () => {
    const folder = await tempFolder()
    await writeFile(join(folder, 'a.toml'), 'pageSize = 11\n')
    await writeFile(join(folder, 'b.json'), '{"pageSize": 12}')
    const pageSize = async (options: BinOptions) => {
      const { stdout } = await runBin('mandate-serve', {
        ...options,
        args: ['--print-config', ...(options.args ?? [])],
      })
      return (JSON.parse(stdout) as { hub: { pageSize: number } }).hub.pageSize
    }
    const env = { CONFIG_PATH: join(folder, 'a.toml') }
    expect(await pageSize({ file: { pageSize: 10 } })).to.equal(10)
    expect(await pageSize({ file: { pageSize: 10 }, env })).to.equal(11)
    expect(await pageSize({ env, args: ['--config', join(folder, 'b.json')] })).to.equal(12)
  })

  it('end with status 1 where the port is in use, and say which and how to take another', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const taken = String((other.address() as AddressInfo).port)
    const host = ['--host', '127.0.0.1']
    const hub = await runBin('mandate-serve', { args: [...host, '--port', taken, '--reader-port', '0'] })
    const reader = await runBin('mandate-serve', { args: [...host, '--port', '0', '--reader-port', taken] })
    const alone = await runBin('mandate-reader', { args: [...host, '--port', taken] })
    other.close()
    expect([hub.status, reader.status, alone.status]).to.deep.equal([1, 1, 1])
    expect(hub.stderr).to.include(`port ${taken} is in use, so the hub`).and.include('--port, or by hub.port')
    expect(reader.stderr).to.include(`port ${taken} is in use, so the reader`).and.include('--reader-port')
    expect(alone.stderr).to.include('--port, or by reader.port')
  })

  it('end with status 1 where the address is not of this machine', async () => {
    const { status, stderr } = await runBin('mandate-serve', { args: ['--host', '203.0.113.1'] })
    expect(status).to.equal(1)
    expect(stderr).to.include('cannot listen at 203.0.113.1').and.include('--host')
  })

  it('end with status 1 where the folder cannot be used, and name it', async () => {
    const file = join(await tempFolder(), 'a-file')
    await writeFile(file, 'x')
    const { status, stderr } = await runBin('mandate-serve', { args: ['--data', file] })
    expect(status, stderr).to.equal(1)
    expect(stderr).to.include(`the folder ${file} cannot be used`)
  })

  it('name the user that they run as where that one is refused', async () => {
    // Who runs the suite may be refused nothing, so a driver says that it was.
    const driver = join(await tempFolder(), 'driver.mjs')
    const cause = `Object.assign(new Error('EACCES: no'), { code: 'EACCES' })`
    await writeFile(driver, `export function createDriver() { throw new Error('no', { cause: ${cause} }) }`)
    const { status, stderr } = await runBin('mandate-serve', { args: ['--driver', driver] })
    expect(status, stderr).to.equal(1)
    expect(stderr).to.include(`(EACCES: no); this process runs as user ${process.getuid?.()}\n`)
  })
})
