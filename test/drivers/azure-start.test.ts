import { ContainerClient, ContainerSASPermissions, StorageSharedKeyCredential } from '@azure/storage-blob'
import { expect } from 'chai'
import { type AzureDriverOptions, azureDriver } from '../../drivers/azure/index.ts'
import { findUnheld, requireFlatNames } from '../../drivers/azure/names.ts'
import { bodyOf, failure, get, key, put } from '../../drivers/conformance/harness.ts'
import { DriverError } from '../../drivers/errors.ts'
import { compareKeys } from '../../drivers/key.ts'
import type { ProbeTarget } from '../../drivers/probe.ts'
import type { Azurite } from '../servers/azurite.ts'
import { FaultyProxy } from '../servers/faulty-proxy.ts'
import { sharedAzurite } from '../servers/shared-azurite.ts'

const secret = Buffer.from('a secret that nobody may see').toString('base64')

/** Options that do not go together, and what is said of them. */
const misconfigured: ReadonlyArray<readonly [Partial<AzureDriverOptions>, RegExp]> = [
  [{}, /connectionString, accountName and endpoint/],
  [{ accountKey: secret }, /connectionString, accountName and endpoint/],
  [{ accountKey: secret, endpoint: 'http://127.0.0.1:1/x' }, /accountKey goes with accountName/],
  [{ connectionString: `AccountKey=${secret}` }, /connectionString is not one/],
  [{ connectionString: secret }, /connectionString is not one/],
  [{ connectionString: 'x', accountName: 'a' }, /goes without/],
  [{ connectionString: 'x', endpoint: 'http://127.0.0.1:1' }, /goes without/],
  [{ accountName: 'a', accountKey: secret, endpoint: 'file:///etc' }, /not an http/],
  [{ accountName: 'a', accountKey: secret, endpoint: 'nonsense' }, /not an http/],
  [{ accountName: 'a', endpoint: 'http://127.0.0.1:1/a' }, /must be an https URL/],
  ...['', 'ab', 'Capital', 'a--b', '-ab', 'ab-', 'a_b', 'a/b', '../x', 'x'.repeat(64)].map(
    (container) => [{ container, accountName: 'a', accountKey: secret }, /container is not a name/] as const,
  ),
]

describe('azure, at its start', () => {
  let server: Azurite
  let container: ContainerClient
  let account: Pick<AzureDriverOptions, 'container' | 'accountName' | 'accountKey' | 'endpoint'>

  beforeEach(async () => {
    server = await sharedAzurite()
    container = server.newContainer()
    const { accountName, accountKey, endpoint } = server
    account = { container: container.containerName, accountName, accountKey, endpoint }
  })
  afterEach(() => container.deleteIfExists())

  for (const [options, message] of misconfigured) {
    const shown = JSON.stringify(options).replaceAll(secret, 'KEY')
    it(`refuses ${shown}`, async () => {
      const error = await failure(azureDriver({ container: 'abc', ...options }), 'backend')
      expect(error.message).to.match(message)
      expect(error.message).to.not.include(secret)
    })
  }

  it('refuses a container that is missing, and makes it where it is told to', async () => {
    const error = await failure(azureDriver(account), 'backend')
    expect(error.message).to.include('createBucket')
    expect(await container.exists()).to.equal(false)
    for (let i = 0; i < 2; i++) await (await azureDriver({ ...account, createBucket: true })).close()
    expect(await container.exists()).to.equal(true)
  })

  it('refuses a wrong key, and says neither it nor where', async () => {
    await container.create()
    const error = await failure(azureDriver({ ...account, accountKey: secret }), 'backend')
    expect(error.message).to.match(/AuthenticationFailed|AuthorizationFailure/)
    expect(error.message).to.not.include('127.0.0.1')
    expect(error.message).to.not.include(secret)
  })

  it('says unavailable when nobody listens', async () => {
    await failure(azureDriver({ ...account, endpoint: 'http://127.0.0.1:1/a', maxTries: 1 }), 'unavailable')
  })

  it('leaves nothing behind', async () => {
    await (await azureDriver({ ...account, createBucket: true })).close()
    for await (const { name } of container.listBlobsFlat({ includeDeleted: true })) throw new Error(name)
  })

  it('takes a connection string', async () => {
    const driver = await azureDriver({
      container: container.containerName,
      connectionString: server.connectionString,
      createBucket: true,
    })
    await put(driver, key('a'), 'x')
    expect((await get(driver, key('a'))).text).to.equal('x')
    await driver.close()
  })

  /** A URL of the service that holds what lets one into the container, and nowhere else. */
  async function signedEndpoint(through: string, permissions: string): Promise<string> {
    const client = new ContainerClient(
      container.url,
      new StorageSharedKeyCredential(server.accountName, server.accountKey),
    )
    const url = await client.generateSasUrl({
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 600_000),
    })
    return `${through}${new URL(url).search}`
  }

  it('takes a shared access signature, and copies with it', async () => {
    await container.create()
    const endpoint = await signedEndpoint(server.endpoint, 'racwdl')
    const driver = await azureDriver({ container: container.containerName, endpoint })
    await put(driver, key('a'), 'x')
    await driver.copy(key('a'), key('b'))
    expect((await get(driver, key('b'))).text).to.equal('x')
    await driver.check()
    await driver.close()
  })

  for (const [permissions, missing] of [
    ['rcwdl'.replace('w', '').replace('c', ''), 'write'],
    ['acwdl', 'read'],
    ['racwd', 'list'],
    ['racwl', 'delete'],
  ] as const) {
    it(`says that it may not ${missing}`, async () => {
      await container.create()
      const endpoint = await signedEndpoint(server.endpoint, permissions)
      const error = await failure(azureDriver({ container: container.containerName, endpoint }), 'backend')
      expect(error.message).to.include(`cannot be used to ${missing} `)
      expect(error.message).to.not.include('sig=')
    })
  }

  it('refuses a service that ignores conditions, unless it is told to take it', async () => {
    await container.create()
    const proxy = await FaultyProxy.start(server.endpoint)
    try {
      proxy.decide = () => ({ do: 'pass', without: ['if-match', 'if-none-match'] })
      const endpoint = await signedEndpoint(proxy.url, 'racwdl')
      const options = { container: container.containerName, endpoint }
      const error = await failure(azureDriver(options), 'backend')
      expect(error.message).to.include('allowUnsafeConditions')
      const driver = await azureDriver({ ...options, allowUnsafeConditions: true })
      expect(driver.capabilities.atomicConditions).to.equal(false)
      await driver.close()
    } finally {
      await proxy.stop()
    }
  })

  it('keeps content type and cache control where Azure itself serves them from', async () => {
    const driver = await azureDriver({ ...account, createBucket: true })
    for (const size of [10, 9_000_000]) {
      const options = { contentType: 'image/x; y="z"', cacheControl: 'max-age=7' }
      await driver.write(key('a'), bodyOf(Buffer.alloc(size)), options)
      const { contentType, cacheControl } = await container.getBlobClient(key('a')).getProperties()
      expect({ contentType, cacheControl }).to.deep.equal(options)
    }
    await driver.close()
  })

  it('reads what Gaia or anything else has put there', async () => {
    const driver = await azureDriver({ ...account, createBucket: true })
    const blob = container.getBlockBlobClient(key('of gaia'))
    await blob.upload('hello', 5, { blobHTTPHeaders: { blobContentType: 'text/plain' } })
    const { info, text } = await get(driver, key('of gaia'))
    expect([text, info.contentType]).to.deep.equal(['hello', 'text/plain'])
    await put(driver, key('of gaia'), 'again', { condition: { ifMatch: info.etag } })
    await blob.createSnapshot()
    await driver.delete(key('of gaia'))
    expect(await driver.stat(key('of gaia'))).to.equal(null)
    await driver.close()
  })
})

/** A storage with a will of its own, as far as names go. */
function storage(options: {
  order?: (a: string, b: string) => number
  rename?: (name: string) => string
  refuses?: (name: string) => boolean
  unlistable?: (name: string) => boolean
}): ProbeTarget & { names: Set<string> } {
  const { order = compareKeys, rename = (name) => name, refuses = () => false } = options
  const names = new Set<string>()
  const refuse = () => Promise.reject(new DriverError('unavailable', 'cannot'))
  return {
    names,
    write: async (name) => (refuses(name) ? await refuse() : String(names.add(rename(name)).size)),
    read: async (name) => (names.has(rename(name)) ? Buffer.alloc(1) : null),
    delete: async (name) => void names.delete(rename(name)),
    list: async (prefix) =>
      [...names].some((name) => name.startsWith(prefix) && options.unlistable?.(name) === true)
        ? await refuse()
        : [...names].filter((name) => name.startsWith(prefix)).sort(order),
  }
}

const slashFirst = (a: string, b: string): number =>
  compareKeys(a.replaceAll('/', ' '), b.replaceAll('/', ' '))
const dropDots = (name: string): string => name.replaceAll(/\.(?=\/|$)/g, '')

describe('azure, what a service makes of names', () => {
  for (const [title, target, unheld] of [
    ['holds all of them', storage({}), []],
    ['refuses some', storage({ refuses: (name) => name.includes('\uffff') }), ['with a character']],
    ['cannot list some', storage({ unlistable: (name) => name.includes('\uffff') }), ['with a character']],
    ['changes some', storage({ rename: dropDots }), ['with a segment']],
  ] as const) {
    it(`finds out that it ${title}`, async () => {
      const found = await findUnheld(target, '.mandate-probe/x')
      expect(found.map((peculiarity) => peculiarity.title.split(' ').slice(0, 3).join(' '))).to.deep.equal(
        unheld,
      )
      expect([...target.names]).to.deep.equal([])
    })
  }

  it('blames no name for a service that cannot list at all', async () => {
    const target = { ...storage({}), list: () => Promise.reject(new DriverError('unavailable', 'cannot')) }
    await failure(findUnheld(target, '.mandate-probe/x'), 'unavailable')
  })

  it('refuses a service that lists folders before their siblings, as one with a hierarchy does', async () => {
    await requireFlatNames(storage({}), '.mandate-probe/x')
    const target = storage({ order: slashFirst })
    await failure(requireFlatNames(target, '.mandate-probe/x'), 'backend')
    expect([...target.names]).to.deep.equal([])
  })
})
