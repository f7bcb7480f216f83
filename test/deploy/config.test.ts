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
    expect(config.reader).to.deep.equal({ host: '0.0.0.0', port: 3001, cacheControl: 'no-cache' })
    expect(config.hub).to.deep.equal({
      host: '0.0.0.0',
      port: 3000,
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
    expect(config.awsCredentials).to.deep.equal({})
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
    MANDATE_HOST: ['::1', '::1'],
    MANDATE_DURABILITY: ['none', 'none'],
    MANDATE_LOG_LEVEL: ['silent', 'silent'],
    MANDATE_MAX_FILE_UPLOAD_SIZE: ['0.5', 0.5],
    MANDATE_REVOCATION_MAX_AGE: ['0', 0],
  }
  for (const row of sourceRows) {
    const node = nodeAt(keysOf(row.key)[0]?.split('.') ?? [])
    const [text, value] =
      values[row.env] ?? (node?.type === 'integer' ? ['50', 50] : ['some text', 'some text'])
    it(`${row.env} sets ${row.key}`, () => {
      const env = { [row.env]: text, GAIA_SERVER_NAME: 'hub.test:8080' }
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
  if (key === 'port') return ['hub.port']
  const known = describeKeys().map((described) => described.key)
  return [key, `hub.${key}`, `reader.${key}`].filter((candidate) => known.includes(candidate))
}

describe('a faulty configuration', () => {
  interface Row {
    title: string
    given: Given
    /** Each must stand in the message. */
    tells: (string | RegExp)[]
  }
  const long = `1${'a'.repeat(30)}`
  const rows: Row[] = [
    {
      title: 'an unknown key',
      given: { file: { whitlist: [] } },
      tells: ['whitlist (in the file): not known; did you mean whitelist?'],
    },
    {
      title: 'an unknown key in a section',
      given: { file: { hub: { pagesize: 1 } } },
      tells: ['hub.pagesize', 'did you mean hub.pageSize?'],
    },
    {
      title: 'an unknown section',
      given: { file: { hubb: { port: 1 } } },
      tells: ['hubb (in the file): not known; did you mean hub?'],
    },
    {
      title: 'an unknown key unlike any other',
      given: { file: { colour: 'red' } },
      tells: [/colour \(in the file\): not known$/],
    },
    {
      title: 'a shared key in a section',
      given: { file: { hub: { driver: 'disk' } } },
      tells: ['hub.driver', 'driver belongs at the top'],
    },
    {
      title: 'the name of a prototype',
      given: { file: '{"__proto__": {"port": 1}}' },
      tells: ['__proto__ (in the file): not known'],
    },
    {
      title: 'a wrong type',
      given: { file: { pageSize: '100' } },
      tells: ['pageSize = "100" (in the file): must be an integer from 1 to 4096'],
    },
    {
      title: 'a value out of range',
      given: { file: { pageSize: 5000 } },
      tells: ['pageSize = 5000 (in the file)', 'from 1 to 4096'],
    },
    {
      title: 'a fraction for an integer',
      given: { file: { hub: { port: 1.5 } } },
      tells: ['hub.port = 1.5', 'an integer from 0 to 65535'],
    },
    {
      title: 'a wrong choice',
      given: { file: { diskSettings: { durability: 'maybe' } } },
      tells: ['diskSettings.durability = "maybe"', 'one of "fsync", "none"'],
    },
    {
      title: 'an unknown driver',
      given: { flags: { '--driver': 'ftp' } },
      tells: ['driver = "ftp" (flag --driver)', '"disk", "memory", "s3"'],
    },
    {
      title: 'a text for a section',
      given: { file: { hub: 'x' } },
      tells: ['hub = "x" (in the file): must be a section with the keys host, port'],
    },
    {
      title: 'a list for a section',
      given: { file: { diskSettings: [] } },
      tells: ['diskSettings = []', 'storageRootDirectory'],
    },
    {
      title: 'a text for a section that the environment reaches into',
      given: { file: { hub: 'x' }, env: { GAIA_PORT: '1' } },
      tells: ['hub = "x"'],
    },
    {
      title: 'a size of zero',
      given: { flags: { '--max-file-upload-size': '0' } },
      tells: ['maxFileUploadSize = 0 (flag --max-file-upload-size)', 'above 0'],
    },
    {
      title: 'a negative size',
      given: { flags: { '--max-file-upload-size': '-1' } },
      tells: ['"-1"', 'above 0'],
    },
    {
      title: 'TOML that is not a number',
      given: { file: '[hub]\nmaxFileUploadSize = nan', format: 'toml' },
      tells: ['hub.maxFileUploadSize', 'a number above 0'],
    },
    {
      title: 'a large integer of TOML',
      given: { file: 'pageSize = 1e300', format: 'toml' },
      tells: ['pageSize = 1e+300', '1 to 4096'],
    },
    {
      title: 'a Stacks address on the whitelist',
      given: { file: { whitelist: [alice, 'SP000000000000000000002Q6VF78'] } },
      tells: ['whitelist.1 = "SP000000000000000000002Q6VF78"', 'an address (1…'],
    },
    {
      title: 'a whitelist entry with a wrong checksum',
      given: { env: { GAIA_WHITELIST: `${alice.slice(0, -1)}2` } },
      tells: ['hub.whitelist.0', 'environment variable GAIA_WHITELIST'],
    },
    {
      title: 'a full DID on the whitelist',
      given: { file: { whitelist: [`did:key:${aliceKeyId}`] } },
      tells: ['whitelist.0', 'the identifier of a did:key'],
    },
    {
      title: 'a trailing comma in GAIA_WHITELIST',
      given: { env: { GAIA_WHITELIST: `${alice},` } },
      tells: ['hub.whitelist.1 = ""'],
    },
    {
      title: 'a relative readURL',
      given: { file: { readURL: '/hub/' } },
      tells: ['readURL = "/hub/"', 'an absolute http or https URL'],
    },
    {
      title: 'a readURL of another scheme',
      given: { flags: { '--read-url': 'ftp://r.test/' } },
      tells: ['flag --read-url', 'http or https'],
    },
    {
      title: 'a readURL with a query',
      given: { file: { readURL: 'https://r.test/?a=' } },
      tells: ['without user, query or fragment'],
    },
    {
      title: 'a readURL in which something looks like an address',
      given: { file: { readURL: `https://r.test/${long}` } },
      tells: ['readURL', "looks like an owner's address"],
    },
    {
      title: 'a serverName with a scheme',
      given: { file: { serverName: 'https://hub.test' } },
      tells: ['serverName = "https://hub.test"', 'a host name'],
    },
    {
      title: 'a serverName with a path',
      given: { file: { serverName: 'hub.test/x' } },
      tells: ['serverName', 'a host name'],
    },
    {
      title: 'a serverName with port 0',
      given: { file: { serverName: 'hub.test:0' } },
      tells: ['serverName', 'a host name'],
    },
    {
      title: 'a host with a port',
      given: { flags: { '--host': '127.0.0.1:80' } },
      tells: ['hub.host = "127.0.0.1:80"', 'without a port'],
    },
    {
      title: 'a hub URL without a scheme',
      given: { file: { validHubUrls: ['hub.test'] } },
      tells: ['validHubUrls.0 = "hub.test"', 'absolute http or https URL'],
    },
    {
      title: 'a Cache-Control that would split the header',
      given: { file: { cacheControl: 'no-cache\r\nX: y' } },
      tells: ['cacheControl', 'printable ASCII'],
    },
    {
      title: 'a port at the top of a file with sections',
      given: { file: { port: 1, reader: { port: 2 } } },
      tells: ['port = 1 (in the file)', 'hub.port, reader.port'],
    },
    {
      title: 'hub and reader on one port',
      given: { flags: { '--port': '3001' } },
      tells: ['reader.port = 3001', '--reader-port'],
    },
    {
      title: 'a hub URL that is required but cannot be known',
      given: { file: { requireCorrectHubUrl: true } },
      tells: ['requireCorrectHubUrl = true', 'serverName (it is "gaia-0")', 'validHubUrls'],
    },
    {
      title: 'a hub alone over memory',
      given: { flags: { '--driver': 'memory' }, kind: 'hub' },
      tells: ['driver = "memory"', 'no reader can see'],
    },
    {
      title: 'a reader alone over memory',
      given: { file: { driver: 'memory' }, kind: 'reader' },
      tells: ['driver = "memory"', 'nothing that a hub stores'],
    },
    { title: 'a file that holds a list', given: { file: [] }, tells: ['one object with keys'] },
    {
      title: 'a file that is cut off',
      given: { file: '{\n  "hub": {\n' },
      tells: ['not valid JSON at line 3, column 1'],
    },
    {
      title: 'a stray character in JSON',
      given: { file: '{\n  "pageSize": x\n}' },
      tells: ['not valid JSON at line 2, column 15'],
    },
    {
      title: 'a trailing comma in JSON',
      given: { file: '{\n  "pageSize": 1,\n}' },
      tells: ['not valid JSON at line 3, column 1'],
    },
    {
      title: 'broken TOML',
      given: { file: 'a = 1\nb = = 2\n', format: 'toml' },
      tells: ['not valid TOML at line 2, column 5'],
    },
  ]
  for (const { title, given, tells } of rows) {
    it(`is refused for ${title}`, () => {
      const { message } = refusal(given)
      for (const told of tells) {
        if (typeof told === 'string') expect(message).to.include(told)
        else expect(message).to.match(told)
      }
    })
  }

  it('tells every fault at once, whatever its source, and impossible combinations among the rest', () => {
    const { faults } = refusal({
      kind: 'hub',
      file: { pageSize: 0, colour: 1, enableHttps: 'acme', requireCorrectHubUrl: true },
      env: { GAIA_PORT: 'x', GAIA_DRVER: 'disk' },
      flags: { '--driver': 'memory', '--log-level': 'loud' },
    })
    expect(faults.map(({ key }) => key).sort()).to.deep.equal(
      [
        'GAIA_DRVER',
        'colour',
        'driver',
        'enableHttps',
        'hub.port',
        'logLevel',
        'pageSize',
        'requireCorrectHubUrl',
      ].sort(),
    )
  })

  it('tells a fault once though the key stands for hub and reader', () => {
    expect(refusal({ file: { cacheControl: 5 } }).faults).to.have.lengthOf(1)
  })

  it('does not judge combinations of a key that is faulty by itself', () => {
    const { faults } = refusal({ file: { hub: { port: 3001 }, reader: { port: 'x' } } })
    expect(faults.map(({ key }) => key)).to.deep.equal(['reader.port'])
  })

  it('shortens what is very long', () => {
    expect(refusal({ file: { logLevel: 'x'.repeat(10_000) } }).message.length).to.be.below(400)
  })
})

describe('combinations that work', () => {
  const rows: [string, Given][] = [
    [
      'a required hub URL with a server name',
      { file: { requireCorrectHubUrl: true, serverName: 'hub.test' } },
    ],
    [
      'a required hub URL with valid URLs',
      { file: { requireCorrectHubUrl: true, validHubUrls: ['https://h.test'] } },
    ],
    [
      'a required hub URL that a reader alone does not care for',
      { file: { requireCorrectHubUrl: true }, kind: 'reader' },
    ],
    [
      'one port on two addresses',
      { file: { hub: { host: '10.0.0.1', port: 80 }, reader: { host: '10.0.0.2', port: 80 } } },
    ],
    ['any free port for both', { flags: { '--port': '0', '--reader-port': '0' } }],
    ['hub and reader on one port on two machines', { flags: { '--port': '3001' }, kind: 'hub' }],
    ['memory for both together', { flags: { '--driver': 'memory' } }],
    ['a readURL with a short name that begins with 1', { file: { readURL: 'https://r.test/1abc/' } }],
  ]
  for (const [title, given] of rows) {
    it(`include ${title}`, () => {
      expect(() => configure(given)).not.to.throw()
    })
  }
})

describe('secrets', () => {
  const secret = 'TOP-SECRET-VALUE'
  const file = {
    awsCredentials: { accessKeyId: 'id', secretAccessKey: secret, sessionToken: secret },
    gcCredentials: { credentials: { private_key: secret } },
    azCredentials: { accountName: 'name', accountKey: secret },
  }

  it('are masked where the configuration is printed', () => {
    const printed = printConfig(configure({ file }).config)
    expect(printed).not.to.include(secret)
    expect(printed.match(/\(hidden\)/g)).to.have.lengthOf(4)
  })

  const faulty: [string, Given][] = [
    ['of a wrong type', { file: { azCredentials: { accountKey: [secret] } } }],
    ['that stand where a section belongs', { file: { awsCredentials: secret } }],
    ['under a name that is misspelt', { file: { awsCredentials: { secretAccesKey: secret } } }],
    ['in a variable that is misspelt', { env: { GAIA_AZURE_ACCOUNT_KY: secret } }],
    ['in a URL', { file: { readURL: `https://me:${secret}@r.test/` } }],
    ['near a fault of JSON', { file: `{"a": "${secret}" "b"}` }],
    ['at a fault of JSON', { file: `{"a": ${secret}}` }],
    ['near a fault of TOML', { file: `a = ${secret}`, format: 'toml' }],
    [
      'in a section of Gaia that is not used',
      { file: { tlsCertConfig: { keyPassphrase: secret }, colour: 1 } },
    ],
  ]
  for (const [title, given] of faulty) {
    it(`${title} are not in the message`, () => {
      const { message, faults } = refusal(given)
      expect(message).not.to.include('SECRET')
      expect(JSON.stringify(faults)).not.to.include('SECRET')
    })
  }

  it('in keys that are not used are not in the warnings', () => {
    const tlsCertConfig = { keyPassphrase: secret, keyFile: secret }
    const { warnings } = configure({
      file: { tlsCertConfig },
      env: { GAIA_TLS_CERT_CONFIG_PFX_PASSPHRASE: secret },
    })
    expect(warnings).to.have.lengthOf(2)
    expect(warnings.join()).not.to.include(secret)
  })
})

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

  it('shows every key but those of the cloud drivers', () => {
    const shown = JSON.parse(text) as unknown
    const hidden = describeKeys().filter(({ path }) => {
      const inFile = path.reduce<unknown>(
        (value, step) => (value as Record<string, unknown> | undefined)?.[step],
        shown,
      )
      return inFile === undefined && !/Credentials|bucket|cacheControl/.test(path.join('.'))
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
