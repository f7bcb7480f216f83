import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { suiteStage } from '../client/sdk-stage.ts'
import { alice as owner } from '../hub/people.ts'
import { v1Token } from '../hub/tokens.ts'
import { suiteBrowser, type Visit } from './browser.ts'
import type { Dapp } from './pages/dapp.ts'
import { barePage, bundleScript, type Site, startSite } from './site.ts'

/** Somebody's page, and who it turned out to be. */
interface Person {
  visit: Visit
  did: string
  address: string
  /** Asks the page to do something. */
  call<Name extends keyof Dapp>(name: Name, ...args: Parameters<Dapp[Name]>): ReturnType<Dapp[Name]>
}

describe('dApps in a browser, on other origins than the hub', () => {
  const chromium = suiteBrowser()
  const stage = suiteStage(() => ({ maxFileUploadSizeMegabytes: 8 }))
  const sites: Site[] = []
  before(async () => {
    const script = await bundleScript(fileURLToPath(new URL('./pages/dapp.js', import.meta.url)))
    const files = new Map([
      ['/', barePage],
      ['/page.js', script],
    ])
    for (let i = 0; i < 2; i++) sites.push(await startSite(files))
  })
  after(async () => {
    for (const site of sites) await site.close()
  })

  /** Opens a page at one of the origins and makes its key. */
  async function begin(origin: number): Promise<Person> {
    const visit = await chromium.visit(sites[origin]?.url ?? '')
    await visit.page.waitForFunction(() => 'dapp' in globalThis)
    const call = ((name: string, ...args: unknown[]) =>
      visit.page.evaluate(
        ([method, values]) => {
          const { dapp } = globalThis as unknown as { dapp: Record<string, (...given: unknown[]) => unknown> }
          return dapp[method]?.(...values)
        },
        [name, args] as const,
      )) as Person['call']
    const { did, address, isExtractable } = await call('begin', stage.stage.hub.url)
    expect(isExtractable).to.equal(false)
    expect(did).to.equal(`did:key:${address}`)
    return { visit, did, address, call }
  }

  it('let alice own a bucket by a key that nobody can read, and store there with progress', async () => {
    const alice = await begin(0)
    const size = 3 * 1024 * 1024
    const { value } = await alice.call('put', 'photos/cat.txt', size)
    const progress = value?.progress ?? []
    expect(progress.at(-1)).to.deep.equal({ loaded: size, total: size })
    expect(progress.map(({ loaded }) => loaded)).to.deep.equal(
      progress.map(({ loaded }) => loaded).sort((a, b) => a - b),
    )
    expect((await alice.call('text', 'photos/cat.txt')).value?.length).to.equal(size)
    const second = await begin(0)
    expect((await second.call('put', 'photos/cat.txt', 1, alice.address)).refused).to.be.a('string')
    expect(alice.visit.faults).to.deep.equal([])
  })

  it('let bob write for alice through her delegation, within it alone, until she revokes it', async () => {
    const [alice, bob] = await Promise.all([begin(0), begin(1)])
    const url = await alice.call('delegate', bob.did, 'photos/')
    expect(await bob.call('receive', url)).to.match(/^bafkrei/)
    const stored = await bob.call('put', 'photos/dog.txt', 10, alice.address)
    expect(stored.refused, stored.message).to.equal(undefined)
    expect((await alice.call('text', 'photos/dog.txt')).value).to.equal('x'.repeat(10))
    expect((await bob.call('put', 'elsewhere.txt', 10, alice.address)).refused).to.be.a('string')

    await alice.call('revoke', url)
    expect((await bob.call('put', 'photos/late.txt', 10, alice.address)).refused).to.equal('revoked')
    expect((await alice.call('text', 'photos/late.txt')).refused).to.equal('not-found')
  })

  it('let alice seal a file for bob and carol, and remove carol', async () => {
    const [alice, bob, carol] = await Promise.all([begin(0), begin(1), begin(1)])
    for (const one of [alice, bob, carol]) await one.call('publishKey')
    await alice.call('sealFor', 'letters/one.txt', 'for your eyes', [bob.address, carol.address])
    for (const one of [bob, carol]) {
      const opened = await one.call('opens', 'letters/one.txt', alice.address)
      expect(opened.value, opened.message).to.equal('for your eyes')
    }
    await alice.call('unshare', 'letters/one.txt', carol.address)
    expect((await bob.call('opens', 'letters/one.txt', alice.address)).value).to.equal('for your eyes')
    expect((await carol.call('opens', 'letters/one.txt', alice.address)).refused).to.be.a('string')
    const stored = (await alice.call('text', 'letters/one.txt')).value ?? ''
    expect(stored).not.to.include('for your eyes')
  })
})

describe('the page that describes the hub', () => {
  const chromium = suiteBrowser()
  const stage = suiteStage()

  it('shows every operation, and asks no other host for anything', async () => {
    const { page, faults, requests } = await chromium.visit(`${stage.stage.hub.url}/docs`)
    await page.getByText('Store a file').first().click()
    await page.getByText('Without a condition it overwrites').waitFor()
    expect(faults).to.deep.equal([])
    expect(
      requests.filter((url) => !url.startsWith(stage.stage.hub.url) && !url.startsWith('data:')),
    ).to.deep.equal([])
  })

  it('stores a text and a file for somebody who tries it, without a condition', async () => {
    const { hub, reader } = stage.stage
    const { page } = await chromium.visit(`${hub.url}/docs`)
    await page.getByText('Store a file').first().click()
    const type = page.getByLabel('mime type')
    await type.waitFor()
    await page.locator('openapi-explorer').evaluate(async (explorer, token) => {
      await (explorer as unknown as Explorer).setAuthenticationConfiguration('bearer', { token })
    }, v1Token(owner))

    /** Sends what the page holds and looks at what is stored by it. */
    const execute = async (path: string) => {
      await page.locator('#request-param-address').fill(owner.address)
      await page.locator('#request-param-path').fill(path)
      const answer = page.waitForResponse((response) => response.request().method() === 'POST')
      await page.getByRole('button', { name: 'Execute' }).click()
      expect((await answer).status()).to.equal(202)
      const stored = await fetch(`${reader.url}/${owner.address}/${path}`)
      return [stored.headers.get('content-type'), await stored.text()]
    }

    await page
      .locator('input[type=file]')
      .setInputFiles({ name: 'a.bin', mimeType: 'a/b', buffer: Buffer.from('of a file') })
    expect(await execute('tried.bin')).to.deep.equal(['application/octet-stream', 'of a file'])
    await type.selectOption('text/plain')
    await page.getByRole('button', { name: 'BODY', exact: true }).click()
    await page.getByLabel('request body').fill('of a text')
    expect(await execute('tried.txt')).to.deep.equal(['text/plain', 'of a text'])
    expect(await execute('tried.txt'), 'once more').to.deep.equal(['text/plain', 'of a text'])
  })
})

/** What the page's own element can be told. */
interface Explorer {
  setAuthenticationConfiguration(scheme: string, credential: { token: string }): Promise<void>
}
