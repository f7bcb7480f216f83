import { expect } from 'chai'
import { azureOptions, gcsOptions, s3Options } from '../../deploy/process/store-options.ts'
import { storePlace } from '../../deploy/process/store-text.ts'
import { configure, type Given, refusal } from './configure.ts'

const pem = '-----BEGIN PRIVATE KEY-----\nMII=\n-----END PRIVATE KEY-----\n'
const start = { createBucket: false, allowUnsafeConditions: false }

describe('the options of the cloud drivers', () => {
  it('hold nothing but the bucket where nothing else is set, so that the SDK finds the identity', () => {
    const { config } = configure({ file: { driver: 's3', bucket: 'b' } })
    expect(s3Options(config)).to.deep.equal({ bucket: 'b', ...start })
    expect(gcsOptions(config)).to.deep.equal({ bucket: 'b', ...start })
    expect(azureOptions(config)).to.deep.equal({ container: 'b', ...start })
  })

  it('say whether the bucket is made, and whether a storage may ignore conditions', () => {
    const said = { createBucket: true, allowUnsafeConditions: true }
    const { config } = configure({ file: { bucket: 'b', ...said } })
    expect(s3Options(config)).to.deep.equal({ bucket: 'b', ...said })
    expect(gcsOptions(config)).to.deep.equal({ bucket: 'b', ...said })
    expect(azureOptions(config)).to.deep.equal({ container: 'b', ...said })
  })

  const s3: [string, object, object][] = [
    [
      'fixed keys',
      { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' },
      { credentials: { accessKeyId: 'a', secretAccessKey: 's', sessionToken: 't' } },
    ],
    [
      'keys that are not of a session',
      { accessKeyId: 'a', secretAccessKey: 's' },
      { credentials: { accessKeyId: 'a', secretAccessKey: 's' } },
    ],
    ['nobody', { anonymous: true }, { credentials: 'anonymous' }],
    [
      'another place',
      { endpoint: 'http://s3.test:9000', region: 'r', forcePathStyle: false },
      { endpoint: 'http://s3.test:9000', region: 'r', forcePathStyle: false },
    ],
    ['a bare host, as in files of Gaia', { endpoint: 's3.test' }, { endpoint: 'https://s3.test' }],
  ]
  for (const [title, awsCredentials, options] of s3) {
    it(`of S3 tell of ${title}`, () => {
      const { config } = configure({ file: { driver: 'aws', awsCredentials } })
      expect(s3Options(config)).to.deep.equal({ bucket: 'hub', ...start, ...options })
    })
  }

  const gcs: [string, object, object][] = [
    ['a key file', { keyFilename: 'k.json', projectId: 'p' }, { keyFilename: 'k.json', projectId: 'p' }],
    ['an emulator', { apiEndpoint: 'http://gcs.test' }, { apiEndpoint: 'http://gcs.test' }],
    [
      'a key',
      { credentials: { client_email: 'c', private_key: pem } },
      { credentials: { client_email: 'c', private_key: pem } },
    ],
    [
      'a key with escaped line breaks',
      { credentials: { client_email: 'c', private_key: pem.replaceAll('\n', '\\n') } },
      { credentials: { client_email: 'c', private_key: pem } },
    ],
    [
      'a key whose e-mail stands where Gaia has it',
      { email: 'e', credentials: { private_key: pem } },
      { credentials: { client_email: 'e', private_key: pem } },
    ],
  ]
  for (const [title, gcCredentials, options] of gcs) {
    it(`of Google Cloud Storage tell of ${title}`, () => {
      const { config, warnings } = configure({ file: { driver: 'gcs', gcCredentials } })
      expect(gcsOptions(config)).to.deep.equal({ bucket: 'hub', ...start, ...options })
      expect(warnings).to.deep.equal([])
    })
  }

  for (const azCredentials of [
    { connectionString: 'c' },
    { accountName: 'n' },
    { accountName: 'n', accountKey: 'k', endpoint: 'https://az.test/n' },
    { endpoint: 'https://az.test/?sv=1&sig=2' },
  ]) {
    it(`of Azure hand on ${Object.keys(azCredentials).join(', ')}`, () => {
      const { config } = configure({ file: { driver: 'azure', azCredentials } })
      expect(azureOptions(config)).to.deep.equal({ container: 'hub', ...start, ...azCredentials })
    })
  }
})

describe('the place of a storage, as the summary tells it', () => {
  const places: [file: object, place: string | null][] = [
    [{ driver: 's3' }, null],
    [{ driver: 's3', awsCredentials: { endpoint: 's3.test' } }, 'https://s3.test/'],
    [{ driver: 'gcs' }, null],
    [{ driver: 'gcs', gcCredentials: { apiEndpoint: 'http://gcs.test:1' } }, 'http://gcs.test:1/'],
    [{ driver: 'azure', azCredentials: { accountName: 'n' } }, 'n'],
    [
      { driver: 'azure', azCredentials: { endpoint: 'https://az.test/n?sv=1&sig=SECRET' } },
      'https://az.test/n',
    ],
    [{ driver: 'azure', azCredentials: { connectionString: 'SECRET' } }, 'the account of connectionString'],
  ]
  for (const [file, place] of places) {
    it(`is ${place} for ${JSON.stringify(file)}`, () => {
      expect(storePlace(configure({ file }).config)).to.equal(place)
    })
  }
})

describe('credentials that do not go together', () => {
  const faulty: [title: string, file: object, tells: string][] = [
    [
      'half of a key of S3',
      { driver: 's3', awsCredentials: { secretAccessKey: 'x' } },
      'awsCredentials.secretAccessKey = (hidden) (in the file): goes with awsCredentials.accessKeyId',
    ],
    [
      'a session of S3 without a key',
      { driver: 's3', awsCredentials: { sessionToken: 'x' } },
      'awsCredentials.sessionToken = (hidden) (in the file): goes with awsCredentials.accessKeyId',
    ],
    [
      'a key of nobody',
      { driver: 's3', awsCredentials: { anonymous: true, accessKeyId: 'x', secretAccessKey: 'x' } },
      'awsCredentials.anonymous = true (in the file): goes without awsCredentials.accessKeyId',
    ],
    [
      'a private key of Google without an e-mail',
      { driver: 'gcs', gcCredentials: { credentials: { private_key: 'x' } } },
      'gcCredentials.credentials.private_key = (hidden) (in the file): goes with gcCredentials.credentials.client_email',
    ],
    [
      'an e-mail of Google without a private key',
      { driver: 'gcs', gcCredentials: { credentials: { client_email: 'x' } } },
      'gcCredentials.credentials.client_email = "x" (in the file): goes with gcCredentials.credentials.private_key',
    ],
    [
      'two keys of Google',
      {
        driver: 'gcs',
        gcCredentials: { keyFilename: 'k', credentials: { client_email: 'c', private_key: 'x' } },
      },
      'gcCredentials.keyFilename = "k" (in the file): goes without gcCredentials.credentials.private_key',
    ],
    [
      'a key of Azure without its account',
      { driver: 'azure', azCredentials: { accountKey: 'x', endpoint: 'https://az.test' } },
      'azCredentials.accountKey = (hidden) (in the file): goes with azCredentials.accountName',
    ],
    [
      'two accounts of Azure',
      { driver: 'azure', azCredentials: { accountName: 'x', connectionString: 'y' } },
      'azCredentials.connectionString = (hidden) (in the file): goes without azCredentials.accountName',
    ],
    [
      'no account of Azure',
      { driver: 'azure' },
      'driver = "azure" (in the file): needs one of azCredentials',
    ],
  ]
  for (const [title, file, tells] of faulty) {
    it(`stop the start: ${title}`, () => {
      expect(refusal({ file }).message).to.include(tells)
    })

    it(`are not judged where the disk is used: ${title}`, () => {
      expect(configure({ file: { ...file, driver: 'disk' } }).config.driver).to.equal('disk')
    })
  }

  const endpoints: Given[] = [
    { file: { awsCredentials: { endpoint: 'ftp://s3.test' } } },
    { file: { awsCredentials: { endpoint: 's3 test' } } },
    { file: { awsCredentials: { endpoint: 'https://me:pass@s3.test' } } },
    { file: { gcCredentials: { apiEndpoint: 'gcs.test' } } },
    { file: { azCredentials: { endpoint: 'az.test' } } },
  ]
  for (const given of endpoints) {
    it(`stop the start: ${JSON.stringify(given.file)}`, () => {
      const { message } = refusal(given)
      expect(message).to.include('must be an absolute http or https URL').and.not.include('pass')
    })
  }

  it('are warned about where an e-mail of Google has nothing to do', () => {
    const { warnings } = configure({ file: { driver: 'gcs', gcCredentials: { email: 'e' } } })
    expect(warnings.join()).to.include('not used: gcCredentials.email')
  })
})
