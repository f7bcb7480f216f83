import { expect } from 'chai'
import { configure, refusal } from './configure.ts'

/** Files in the shape of those that operators of Gaia have. */
const argsTransport = {
  level: 'debug',
  handleExceptions: true,
  stringify: true,
  timestamp: true,
  colorize: false,
  json: true,
}

describe("a hub's file of Gaia", () => {
  it('on the disk driver is taken as it is', () => {
    const file = {
      servername: 'hub.test',
      port: 4000,
      driver: 'disk',
      readURL: 'http://localhost:8008',
      proofsConfig: { proofsRequired: 0 },
      diskSettings: { storageRootDirectory: '/tmp/gaia-disk' },
      argsTransport,
    }
    const { config, warnings } = configure({ file, kind: 'hub' })
    expect(config.driver).to.equal('disk')
    expect(config.diskSettings.storageRootDirectory).to.equal('/tmp/gaia-disk')
    expect(config.logLevel).to.equal('debug')
    expect(config.hub).to.include({ serverName: 'hub.test', port: 4000, readURL: 'http://localhost:8008/' })
    expect(warnings).to.have.lengthOf(1)
    expect(warnings[0]).to.match(/^not used: argsTransport\.handleExceptions, .*argsTransport\.json/)
  })

  it('with the empty texts of the sample files is taken', () => {
    const file = {
      servername: '',
      port: 3000,
      driver: '',
      bucket: '',
      readURL: '',
      awsCredentials: { accessKeyId: '', secretAccessKey: '' },
      azCredentials: { accountName: '', accountKey: '' },
      gcCredentials: { projectId: '' },
      proofsConfig: { proofsRequired: 3 },
      argsTransport: { level: 'warn' },
    }
    const { config } = configure({ file, kind: 'hub' })
    expect(config.hub).to.include({ serverName: 'gaia-0', port: 3000 })
    expect(config.hub.proofsConfig.proofsRequired).to.equal(3)
    expect([config.driver, config.bucket, config.logLevel]).to.deep.equal(['disk', 'hub', 'warn'])
  })

  it('with every key that Gaia has and Mandate knows maps each of them', () => {
    const file = {
      serverName: 'hub.test',
      bucket: 'b',
      pageSize: 20,
      cacheControl: 'public',
      maxFileUploadSize: 50,
      authTimestampCacheSize: 100,
      port: 80,
      requireCorrectHubUrl: true,
      validHubUrls: ['https://other.test/'],
      whitelist: ['1K9v3qruocrtAGVHzjJqSpWh8v1UZG3hJ1'],
      readURL: 'https://read.test/',
      proofsConfig: { proofsRequired: 1 },
      driver: 'aws',
      awsCredentials: {
        accessKeyId: 'a',
        secretAccessKey: 's',
        sessionToken: 't',
        endpoint: 'https://s3.test',
      },
      gcCredentials: {
        email: 'e',
        projectId: 'p',
        keyFilename: 'k',
        credentials: { client_email: 'c', private_key: 'x' },
      },
      azCredentials: { accountName: 'n', accountKey: 'k' },
      diskSettings: { storageRootDirectory: '/d' },
      argsTransport: { level: 'info' },
    }
    const { config, warnings } = configure({ file, kind: 'hub' })
    expect(warnings).to.deep.equal([])
    expect(config).to.deep.include({
      driver: 's3',
      bucket: 'b',
      awsCredentials: { ...file.awsCredentials, anonymous: false },
      gcCredentials: file.gcCredentials,
      azCredentials: file.azCredentials,
    })
    expect(config.hub).to.deep.include({
      serverName: 'hub.test',
      port: 80,
      pageSize: 20,
      cacheControl: 'public',
      maxFileUploadSize: 50,
      authTimestampCacheSize: 100,
      requireCorrectHubUrl: true,
      validHubUrls: file.validHubUrls,
      whitelist: file.whitelist,
      readURL: 'https://read.test/',
      proofsConfig: { proofsRequired: 1 },
    })
  })

  it('names the keys that Mandate lacks in a warning, with what to do', () => {
    const file = { acmeConfig: { email: 'a@b.test', agreeTos: true } }
    const text = configure({ file, kind: 'both' }).warnings.join('\n')
    expect(text).to.include('acmeConfig').and.include('proxy').and.include('Caddy')
  })

  for (const [enableHttps, advice] of [
    ['acme', 'Caddy'],
    ['cert_files', 'needs a certificate: tlsCertConfig.certFile'],
    [true, 'must be one of "cert_files"'],
  ] as const) {
    it(`does not start without the TLS that it asks for (enableHttps ${enableHttps})`, () => {
      const { message } = refusal({ file: { enableHttps } })
      expect(message)
        .to.include(`enableHttps = ${JSON.stringify(enableHttps)}`)
        .and.include(advice)
    })
  }

  for (const [title, section] of [
    ['at its top', (file: object) => file],
    ['in its section', (file: object) => ({ hub: file })],
  ] as const) {
    it(`has its certificate files and ports taken, ${title}`, () => {
      const tlsCertConfig = { certFile: 'c', keyFile: 'k', keyPassphrase: 'p' }
      const file = section({ enableHttps: 'cert_files', httpsPort: 8444, tlsCertConfig })
      const { config, warnings } = configure({ file, kind: 'hub' })
      expect(config).to.deep.include({ enableHttps: 'cert_files', tlsCertConfig })
      expect(config.hub.httpsPort).to.equal(8444)
      expect(warnings.join()).not.to.include('not used')
    })
  }

  it('with a certificate that it does not use says so', () => {
    const file = { enableHttps: false, tlsCertConfig: { certFile: 'c', keyFile: 'k' } }
    expect(configure({ file }).warnings).to.have.lengthOf(1)
    expect(configure({ file }).warnings[0]).to.include('not used: tlsCertConfig')
  })

  it('is refused where certificate files exclude each other or a port is taken twice', () => {
    const both = { certFile: 'c', keyFile: 'k', pfxFile: 'x' }
    const tls = { enableHttps: 'cert_files', tlsCertConfig: { pfxFile: 'x' } }
    expect(refusal({ file: { ...tls, tlsCertConfig: both } }).message).to.include('not both')
    expect(refusal({ file: { ...tls, hub: { port: 443 } } }).message).to.include('another port than hub.port')
    const same = { hub: { httpsPort: 8443 } }
    expect(refusal({ file: { ...tls, ...same } }).message).to.include('another port than that of the hub')
    expect(() => configure({ file: { ...tls, plainHttp: 'off', hub: { port: 443 } } })).not.to.throw()
  })

  it('tells clients to read by HTTPS where the reader of the same process speaks it', () => {
    const { config } = configure({ file: { enableHttps: 'cert_files', tlsCertConfig: { pfxFile: 'x' } } })
    expect(config.hub.readURL).to.equal('https://localhost:8443/')
  })

  it('starts where it asks for no TLS', () => {
    expect(configure({ file: { enableHttps: false } }).warnings).to.deep.equal([])
  })

  it('gives logLevel the last word over its old name, whatever their order', () => {
    const [old, fresh] = [{ argsTransport: { level: 'error' } }, { logLevel: 'trace' }]
    for (const file of [
      { ...old, ...fresh },
      { ...fresh, ...old },
    ])
      expect(configure({ file }).config.logLevel).to.equal('trace')
  })

  it('takes servername beside serverName where both say the same, and refuses them where they do not', () => {
    const both = (servername: string) => ({ servername, serverName: 'hub.test' })
    expect(configure({ file: both('hub.test') }).config.hub.serverName).to.equal('hub.test')
    expect(refusal({ file: both('old.test') }).message).to.match(
      /^servername = "old\.test" \(in the file\): is another name for serverName, which says something else/,
    )
    expect(refusal({ file: { servername: 'old.test', hub: { serverName: 'hub.test' } } }).message).to.match(
      /^servername = "old\.test" \(in the file\): is another name for hub\.serverName/,
    )
  })

  it('tells a wrong level under the name that it has in the file', () => {
    expect(refusal({ file: { argsTransport: { level: 'loud' } } }).message).to.match(
      /^argsTransport\.level = "loud" \(in the file\): must be one of "fatal"/,
    )
  })

  for (const [theirs, ours] of [
    ['verbose', 'debug'],
    ['silly', 'trace'],
    ['http', 'info'],
    ['error', 'error'],
  ]) {
    it(`has its level ${theirs} taken for ${ours}`, () => {
      expect(configure({ file: { argsTransport: { level: theirs } } }).config.logLevel).to.equal(ours)
    })
  }
})

describe("a reader's file of Gaia", () => {
  it('is taken as it is, its port for the reader', () => {
    const file = { port: 8008, diskSettings: { storageRootDirectory: '/tmp/gaia-disk' } }
    const { config, warnings } = configure({ file, kind: 'reader' })
    expect(warnings).to.deep.equal([])
    expect(config.reader.port).to.equal(8008)
    expect(config.diskSettings.storageRootDirectory).to.equal('/tmp/gaia-disk')
  })

  it('with all of its keys is taken, those without a use named', () => {
    const file = {
      port: 8008,
      cacheControl: 'public, max-age=1',
      regtest: false,
      testnet: false,
      argsTransport,
    }
    const { config, warnings } = configure({ file, kind: 'reader' })
    expect(config.reader).to.deep.include({ host: '0.0.0.0', port: 8008, cacheControl: 'public, max-age=1' })
    expect(warnings.join()).to.include('regtest, testnet')
  })
})

describe('the two files of Gaia as sections of one', () => {
  it('are taken for hub and reader', () => {
    const file = {
      driver: 'disk',
      diskSettings: { storageRootDirectory: '/d' },
      hub: { servername: 'hub.test', port: 4000 },
      reader: { port: 8008, regtest: false },
    }
    const { config, warnings } = configure({ file })
    expect([config.hub.serverName, config.hub.port, config.reader.port]).to.deep.equal([
      'hub.test',
      4000,
      8008,
    ])
    expect(warnings.join()).to.include('regtest')
  })
})

describe("Gaia's variables for keys that Mandate lacks", () => {
  it('GAIA_ACME_CONFIG_AGREE_TOS is named in a warning', () => {
    const { warnings } = configure({ env: { GAIA_ACME_CONFIG_AGREE_TOS: '1' } })
    expect(warnings.join()).to.include('GAIA_ACME_CONFIG_AGREE_TOS')
  })

  it('GAIA_ENABLE_HTTPS stops the start', () => {
    expect(refusal({ env: { GAIA_ENABLE_HTTPS: 'acme' } }).message).to.include('GAIA_ENABLE_HTTPS')
    expect(() => configure({ env: { GAIA_ENABLE_HTTPS: 'false' } })).not.to.throw()
  })
})
