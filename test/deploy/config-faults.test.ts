import { expect } from 'chai'
import { printConfig } from '../../deploy/process/config/print.ts'
import { configure, type Given, refusal } from './configure.ts'

const alice = '1K9v3qruocrtAGVHzjJqSpWh8v1UZG3hJ1'
const aliceKeyId = 'z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK'

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
      given: { flags: { '--driver': 'ftp://files' } },
      tells: ['driver = "ftp://files" (flag --driver)', '"disk", "memory", "s3"'],
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
      title: 'a key that stands twice in one object, of which the last would be taken',
      given: { file: '{\n  "hub": { "whitelist": ["1secret"],\n    "white\\u006cist": null } }' },
      tells: [/"whitelist" stands twice in one object, again at line 3, column 5$/],
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
    azCredentials: {
      accountName: 'name',
      accountKey: secret,
      connectionString: `AccountKey=${secret}`,
      endpoint: `https://az.test/?sig=${secret}`,
    },
  }

  it('are masked where the configuration is printed', () => {
    const printed = printConfig(configure({ file }).config)
    expect(printed).not.to.include(secret)
    expect(printed.match(/\(hidden\)/g)).to.have.lengthOf(6)
  })

  const faulty: [string, Given][] = [
    ['of a wrong type', { file: { azCredentials: { accountKey: [secret] } } }],
    ['that stand where a section belongs', { file: { awsCredentials: secret } }],
    ['under a name that is misspelt', { file: { awsCredentials: { secretAccesKey: secret } } }],
    ['in a variable that is misspelt', { env: { GAIA_AZURE_ACCOUNT_KY: secret } }],
    [
      'in an endpoint of Azure that is at fault',
      { file: { azCredentials: { endpoint: `ftp://az.test/?sig=${secret}` } } },
    ],
    [
      'that exclude each other',
      { file: { driver: 'azure', azCredentials: { connectionString: secret, accountKey: secret } } },
    ],
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
      env: { GAIA_TLS_CERT_CONFIG_PFX_PASSPHRASE: secret, GAIA_ACME_CONFIG_EMAIL: secret },
    })
    expect(warnings).to.have.lengthOf(2)
    expect(warnings.join()).not.to.include(secret)
  })
})
