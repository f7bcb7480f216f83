import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { suiteStage } from '../client/sdk-stage.ts'
import { suiteBrowser, type Visit } from './browser.ts'
import type { SealedPage } from './sealed-page.ts'
import { bundleScript, type Site, startSite } from './site.ts'

const vectors = readFileSync(
  fileURLToPath(new URL('../../../test/client/seal/vectors.json', import.meta.url)),
  'utf8',
)

describe('sealed files in Chromium', () => {
  const chromium = suiteBrowser()
  const suite = suiteStage()
  let site: Site | undefined

  before(async () => {
    const script = await bundleScript(fileURLToPath(new URL('sealed-page.js', import.meta.url)))
    const page = '<!doctype html><title>Sealed files</title><script type="module" src="/page.js"></script>'
    site = await startSite(
      new Map([
        ['/', page],
        ['/page.js', script],
      ]),
    )
  })
  after(() => site?.close())

  const open = async () => {
    const visit = await chromium.visit(`${site?.url}/`)
    await visit.page.waitForFunction(() => 'sealedPage' in globalThis)
    return visit
  }
  /** Runs one of the page's own functions there. */
  const call = async <Name extends keyof SealedPage>(
    { page }: Visit,
    name: Name,
    ...args: Parameters<SealedPage[Name]>
  ) =>
    (await page.evaluate(
      async ([called, given]) => {
        const { sealedPage } = globalThis as unknown as {
          sealedPage: Record<string, (...all: unknown[]) => unknown>
        }
        return sealedPage[called as string]?.(...(given as unknown[]))
      },
      [name, args] as const,
    )) as Awaited<ReturnType<SealedPage[Name]>>

  it('open the vectors', async () => {
    const visit = await open()
    expect(await call(visit, 'openVectors', vectors)).to.deep.equal({ opened: 12, files: 4 })
    expect(visit.faults.filter((fault) => !fault.includes('404'))).to.deep.equal([])
  })

  it('are shared by one page with two others, until one of them is removed', async () => {
    const { url } = suite.stage.hub
    const [alice, bob, carol] = [await open(), await open(), await open()]
    const me = await call(alice, 'join', url, 'P-256')
    const bobs = await call(bob, 'join', url, 'P-256')
    const carols = await call(carol, 'join', url, 'Ed25519')
    await call(alice, 'put', 'diary', 'a secret', [bobs.did, carols.did])
    for (const page of [bob, carol]) {
      expect(await call(page, 'shared', me.did)).to.deep.equal(['diary'])
      expect(await call(page, 'get', me.address, 'diary')).to.equal('a secret')
    }
    await call(alice, 'unshare', 'diary', bobs.did)
    expect(await call(bob, 'get', me.address, 'diary')).to.equal('not-a-recipient')
    expect(await call(carol, 'get', me.address, 'diary')).to.equal('a secret')
    const large = 'large '.repeat(100_000)
    await call(alice, 'put', 'diary', large, [carols.did])
    expect(await call(bob, 'get', me.address, 'diary')).to.equal('not-a-recipient')
    expect(await call(carol, 'get', me.address, 'diary')).to.equal(large)
  })
})
