import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { allowedText, describeKeys, nodeAt } from '../../deploy/process/config/describe.ts'
import { printConfig } from '../../deploy/process/config/print.ts'
import type { Kind } from '../../deploy/process/config/schema.ts'
import { sourceRows } from '../../deploy/process/config/sources.ts'
import { keysHelp } from '../../deploy/process/help.ts'
import { configure, type Given, refusal } from './configure.ts'

const alice = '1K9v3qruocrtAGVHzjJqSpWh8v1UZG3hJ1'
const aliceKeyId = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

function at(config: unknown, key: string): unknown {
  return key.split('.').reduce((value, step) => (value as Record<string, unknown>)[step], config)
}

describe('the configuration', () => {
  it('has a default for every key that a server cannot do without', () => {
    const { config, warnings } = configure()
    expect(warnings).to.deep.equal([])
    expect(config.driver).to.equal('disk')
    expect(config.diskSettings).to.deep.equal({ storageRootDirectory: './data', durability: 'fsync' })
    expect(config.reader).to.deep.equal({
      host: '0.0.0.0',
      port: 3001,
      httpsPort: 8443,
      cacheControl: 'no-cache',
      redirect: 'off',
      redirectURL: null,
      redirectThreshold: 0,
    })
    expect(config.hub).to.deep.equal({
      host: '0.0.0.0',
      port: 3000,
      httpsPort: 443,
      cacheControl: 'no-cache',
      serverName: 'gaia-0',
      readURL: 'http://localhost:3001/',
      pageSize: 100,
      maxFileUploadSize: 20,
      whitelist: null,
      requireCorrectHubUrl: false,
      validHubUrls: [],
      proofsConfig: { proofsRequired: 0 },
      authTimestampCacheSize: 50_000,
      revocationMaxAge: 5,
      maxInvocationLifetime: 86_400,
      directUploadThreshold: null,
      directUploadLifetime: 60,
    })
  })

  it('lets the file beat defaults, the environment beat the file, and flags beat all', () => {
    const file = { hub: { pageSize: 1, port: 1, serverName: 'file.test' } }
    const env = { GAIA_PORT: '2', GAIA_SERVER_NAME: 'env.test' }
    const { hub } = configure({ file, env, flags: { '--server-name': 'flag.test' } }).config
    expect([hub.pageSize, hub.port, hub.serverName]).to.deep.equal([1, 2, 'flag.test'])
  })

  it('reads TOML like JSON', () => {
    const file = '# ours\ndriver = "memory"\n[hub]\nport = 4000\nwhitelist = []\n'
    const { config, warnings } = configure({ file, format: 'toml' })
    expect([config.driver, config.hub.port]).to.deep.equal(['memory', 4000])
    expect(warnings).to.deep.equal(['whitelist is empty: nobody can write'])
  })

  it('takes a file that begins with a byte order mark', () => {
    expect(configure({ file: '\uFEFF{"pageSize": 7}' }).config.hub.pageSize).to.equal(7)
  })

  it('gives a key at the top to hub and reader where both have it, and lets a section go before it', () => {
    const { config } = configure({
      file: { cacheControl: 'max-age=1', reader: { cacheControl: 'max-age=2' } },
    })
    expect([config.hub.cacheControl, config.reader.cacheControl]).to.deep.equal(['max-age=1', 'max-age=2'])
  })

  it('takes the port at the top of a file for the one server that runs, and for the hub where both do', () => {
    const ports = (['hub', 'reader', 'both'] as const).map((kind) => {
      const { hub, reader } = configure({ file: { port: 4000 }, kind }).config
      return [hub.port, reader.port]
    })
    expect(ports).to.deep.equal([
      [4000, 3001],
      [3000, 4000],
      [4000, 3001],
    ])
  })

  it('counts null and the empty string as not set, in the file and in the environment', () => {
    const file = { driver: '', whitelist: null, awsCredentials: { accessKeyId: '' }, pageSize: null }
    const { config } = configure({ file, env: { GAIA_PORT: '', GAIA_WHITELIST: '' } })
    expect([config.driver, config.hub.whitelist, config.hub.pageSize]).to.deep.equal(['disk', null, 100])
    expect(config.awsCredentials).to.deep.equal({ anonymous: false })
  })
})

describe('readURL', () => {
  const rows: [string, Given, string | null][] = [
    [
      'gets the slash that clients rely on',
      { file: { readURL: 'https://r.test/hub' } },
      'https://r.test/hub/',
    ],
    ['keeps the slash that it has', { file: { readURL: 'https://r.test/' } }, 'https://r.test/'],
    ['is the local reader where it is not set', { flags: { '--reader-port': '99' } }, 'http://localhost:99/'],
    [
      'follows the address of the reader',
      { file: { reader: { host: '10.0.0.1' } } },
      'http://10.0.0.1:3001/',
    ],
    ['brackets an IPv6 address', { file: { reader: { host: 'fd00::1' } } }, 'http://[fd00::1]:3001/'],
    ['is open until the start where the reader takes any port', { flags: { '--reader-port': '0' } }, null],
  ]
  for (const [title, given, expected] of rows) {
    it(title, () => {
      expect(configure(given).config.hub.readURL).to.equal(expected)
    })
  }

  it('is warned about where the hub runs alone without it', () => {
    expect(configure({ kind: 'hub' }).warnings.join()).to.match(/readURL is not set/)
    expect(configure({ kind: 'hub', file: { readURL: 'http://r.test/' } }).warnings).to.deep.equal([])
  })
})

describe('environment variables', () => {
  /** One good text for each variable, and the value that it becomes. */
  const values: Record<string, [text: string, value: unknown]> = {
    GAIA_PORT: ['4000', 4000],
    GAIA_DRIVER: ['google-cloud', 'gcs'],
    GAIA_READ_URL: ['https://r.test/', 'https://r.test/'],
    GAIA_PAGE_SIZE: ['4096', 4096],
    GAIA_SERVER_NAME: ['hub.test:8080', 'hub.test:8080'],
    GAIA_CACHE_CONTROL: ['public, max-age=1', 'public, max-age=1'],
    GAIA_WHITELIST: [`${alice}, ${aliceKeyId}`, [alice, aliceKeyId]],
    GAIA_VALID_HUB_URLS: ['https://a.test,https://b.test/', ['https://a.test', 'https://b.test/']],
    GAIA_REQUIRE_CORRECT_HUB_URL: ['1', true],
    GAIA_BUCKET_NAME: ['123', '123'],
    MANDATE_DRIVER_SETTINGS: ['{"location":"/x","deep":{"a":[1]}}', { location: '/x', deep: { a: [1] } }],
    MANDATE_HOST: ['::1', '::1'],
    MANDATE_DURABILITY: ['none', 'none'],
    MANDATE_LOG_LEVEL: ['silent', 'silent'],
    MANDATE_MAX_FILE_UPLOAD_SIZE: ['0.5', 0.5],
    MANDATE_REVOCATION_MAX_AGE: ['0', 0],
    MANDATE_CREATE_BUCKET: ['1', true],
    MANDATE_WORKERS: ['auto', 'auto'],
    MANDATE_METRICS_ENABLED: ['false', false],
    MANDATE_METRICS_HOST: ['0.0.0.0', '0.0.0.0'],
    MANDATE_METRICS_PORT: ['9100', 9100],
    GAIA_ENABLE_HTTPS: ['cert_files', 'cert_files'],
    MANDATE_PLAIN_HTTP: ['off', 'off'],
    MANDATE_HSTS: ['true', true],
    MANDATE_TRUSTED_PROXIES: ['10.0.0.0/8, ::1', ['10.0.0.0/8', '::1']],
    MANDATE_ALLOW_UNSAFE_CONDITIONS: ['true', true],
    MANDATE_S3_ENDPOINT: ['https://s3.test:9000', 'https://s3.test:9000'],
    MANDATE_S3_FORCE_PATH_STYLE: ['false', false],
    MANDATE_S3_ANONYMOUS: ['true', true],
    MANDATE_S3_PRESIGN_ENDPOINT: ['objects.test', 'objects.test'],
    MANDATE_DIRECT_UPLOAD_THRESHOLD: ['5000000', 5_000_000],
    MANDATE_READER_REDIRECT: ['off', 'off'],
    MANDATE_READER_REDIRECT_URL: ['https://files.test/', 'https://files.test/'],
    MANDATE_GCP_API_ENDPOINT: ['http://localhost:4443', 'http://localhost:4443'],
    MANDATE_AZURE_ENDPOINT: ['https://az.test/?sv=1&sig=2', 'https://az.test/?sv=1&sig=2'],
  }
  for (const row of sourceRows) {
    const node = nodeAt(keysOf(row.key)[0]?.split('.') ?? [])
    const [text, value] =
      values[row.env] ?? (node?.type === 'integer' ? ['50', 50] : ['some text', 'some text'])
    it(`${row.env} sets ${row.key}`, () => {
      const certificate = { GAIA_TLS_CERT_CONFIG_PFX_FILE: 'some text' }
      const also = row.key === 'enableHttps' ? certificate : {}
      const env = { ...also, [row.env]: text, GAIA_SERVER_NAME: 'hub.test:8080' }
      const { config } = configure({ env })
      for (const key of keysOf(row.key)) expect(at(config, key), key).to.deep.equal(value)
    })
  }

  it('are there for every key of the schema', () => {
    const reached = new Set(sourceRows.flatMap((row) => keysOf(row.key)))
    const missed = describeKeys().filter(({ key }) => !reached.has(key))
    expect(missed.map(({ key }) => key)).to.deep.equal([])
  })

  for (const [text, value] of [
    ['true', true],
    ['1', true],
    ['false', false],
    ['0', false],
  ] as const) {
    it(`take ${text} for ${value}`, () => {
      const env = { GAIA_REQUIRE_CORRECT_HUB_URL: text, GAIA_SERVER_NAME: 'hub.test' }
      expect(configure({ env }).config.hub.requireCorrectHubUrl).to.equal(value)
    })
  }

  for (const text of ['12abc', 'NaN', '-1', '1e3', '0x10', '3000.5', ' 3000', '65536', 'Infinity', '+1']) {
    it(`refuse ${JSON.stringify(text)} as a port, naming variable, value and range`, () => {
      const { message } = refusal({ env: { GAIA_PORT: text } })
      expect(message).to.include('environment variable GAIA_PORT')
      expect(message).to.include('hub.port = ')
      expect(message).to.include(text)
      expect(message).to.include('must be an integer from 0 to 65535')
    })
  }

  it('stop the start where one is misspelt: a slip in GAIA_WHITELIST must not open the hub', () => {
    const { message } = refusal({ env: { GAIA_WHITELST: alice } })
    expect(message).to.match(/GAIA_WHITELST.*did you mean GAIA_WHITELIST\?/)
    expect(message).not.to.include(alice)
  })

  it('of another program are named in a warning', () => {
    const { warnings } = configure({ env: { GAIA_SOMETHING_ELSE_ALTOGETHER: 'x', PATH: '/bin' } })
    expect(warnings).to.have.lengthOf(1)
    expect(warnings[0]).to.include('GAIA_SOMETHING_ELSE_ALTOGETHER')
  })
})

/** The keys that a row reaches when both servers run. */
function keysOf(key: string): string[] {
  if (key === 'port' || key === 'httpsPort') return [`hub.${key}`]
  const known = describeKeys().map((described) => described.key)
  return [key, `hub.${key}`, `reader.${key}`].filter((candidate) => known.includes(candidate))
}

describe('the printed configuration', () => {
  it('can serve as a file, and gives the same configuration again', () => {
    const file = { whitelist: [alice], port: 4000, driver: 'aws', reader: undefined }
    const { config } = configure({ file })
    expect(configure({ file: printConfig(config) }).config).to.deep.equal(config)
  })
})

describe('config.sample.json', () => {
  const text = readFileSync(new URL('../../../config.sample.json', import.meta.url), 'utf8')

  for (const kind of ['hub', 'reader', 'both'] satisfies Kind[]) {
    it(`starts ${kind} with the defaults, without a warning`, () => {
      const { config, warnings } = configure({ file: text, kind })
      expect(warnings).to.deep.equal([])
      expect(config).to.deep.equal(configure({ kind: 'both' }).config)
    })
  }

  it('shows every key but those of the cloud drivers, of drivers of others and of certificates', () => {
    const shown = JSON.parse(text) as unknown
    const hidden = describeKeys().filter(({ path }) => {
      const inFile = path.reduce<unknown>(
        (value, step) => (value as Record<string, unknown> | undefined)?.[step],
        shown,
      )
      return (
        inFile === undefined &&
        !/Credentials|driverSettings|tlsCertConfig|bucket|cacheControl|createBucket|allowUnsafe/.test(
          path.join('.'),
        )
      )
    })
    expect(hidden.map(({ key }) => key)).to.deep.equal([])
  })
})

describe('the help', () => {
  it('has every key with a description, its default, what is allowed and its variable', () => {
    const help = keysHelp('both')
    for (const { key, path, description, default: standard } of describeKeys()) {
      const shown = standard === null ? 'none' : JSON.stringify(standard)
      expect(description, key).to.match(/\w/)
      const block = help.slice(help.indexOf(`\n  ${key}\n`))
      expect(block.startsWith(`\n  ${key}\n      ${description}\n`), key).to.equal(true)
      expect(block.split('\n')[3], key)
        .to.include(allowedText(nodeAt(path)))
        .and.include(`default ${shown}`)
      expect(block.split('\n')[3], key).to.match(/(GAIA|MANDATE)_/)
    }
  })

  it('of one server leaves out the keys of the other', () => {
    expect(keysHelp('hub')).to.include('hub.port').and.not.include('reader.port')
    expect(keysHelp('reader')).to.include('reader.port').and.not.include('hub.port')
  })
})
