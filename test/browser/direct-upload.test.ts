import { fileURLToPath } from 'node:url'
import { type CORSRule, PutBucketCorsCommand } from '@aws-sdk/client-s3'
import { expect } from 'chai'
import { type DirectStage, startDirectStage } from '../client/direct-stage.ts'
import { blocksOf } from '../docs/markdown.ts'
import { type S3Harness, s3Harness } from '../drivers/s3-harness.ts'
import { startHub } from '../hub/harness.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { suiteBrowser, type Visit } from './browser.ts'
import type { Dapp } from './pages/dapp.ts'
import { barePage, bundleScript, type Site, startSite } from './site.ts'

describe('a page that stores large files at a bucket of S3', () => {
  const chromium = suiteBrowser()
  let harness: S3Harness
  let stage: DirectStage
  let site: Site
  before(async function () {
    this.timeout(installMs)
    await cephServer()
    harness = await s3Harness({ presign: true })
    stage = await startDirectStage(harness)
    const script = await bundleScript(fileURLToPath(new URL('./pages/dapp.js', import.meta.url)))
    site = await startSite(
      new Map([
        ['/', barePage],
        ['/page.js', script],
      ]),
    )
  })
  after(async () => {
    await site.close()
    await stage.close()
    await harness.close()
  })

  /** Opens the page, and lets it connect. */
  async function begin(hub = stage.hub.url) {
    const visit = await chromium.visit(site.url)
    await visit.page.waitForFunction(() => 'dapp' in globalThis)
    const call = ((name: string, ...args: unknown[]) =>
      visit.page.evaluate(
        ([method, values]) => {
          const { dapp } = globalThis as unknown as { dapp: Record<string, (...given: unknown[]) => unknown> }
          return dapp[method]?.(...values)
        },
        [name, args] as const,
      )) as <Name extends keyof Dapp>(name: Name, ...args: Parameters<Dapp[Name]>) => ReturnType<Dapp[Name]>
    const { address } = await call('begin', hub)
    return { visit, call, address }
  }
  const asked = ({ requests }: Visit, part: string) => requests.filter((url) => url.includes(part)).length
  const size = 300_000

  it('goes through the hub where the bucket lets no page in', async () => {
    const { visit, call } = await begin()
    const { value, message } = await call('put', 'cat.txt', size)
    expect(value?.progress.at(-1), message).to.deep.equal({ loaded: size, total: size })
    expect(asked(visit, '/upload/')).to.be.above(0)
    expect(asked(visit, '/store/')).to.equal(1)
  })

  it('goes to the bucket itself, and comes from there, under the rules of the documents', async () => {
    const { client, name: Bucket } = harness.bucket
    const CORSConfiguration = { CORSRules: documentedRules() }
    await client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration }))
    const { visit, call, address } = await begin()
    const { value, message } = await call('put', 'cat.txt', size)
    expect(value?.progress.at(-1), message).to.deep.equal({ loaded: size, total: size })
    expect(asked(visit, '/store/')).to.equal(0)
    const head = await fetch(`${stage.reader.url}/${address}/cat.txt`, { method: 'HEAD' })
    expect(value?.etag).to.equal(head.headers.get('etag'))
    // As the version that was just stored.
    expect((await call('put', 'cat.txt', size + 1)).refused).to.equal(undefined)
    expect((await call('text', 'cat.txt')).value?.length).to.equal(size + 1)
    expect(asked(visit, 'X-Amz-Signature')).to.be.above(2)
    expect(visit.faults).to.deep.equal([])
  })

  it('can read when a hub that turns it away wants to be asked again', async () => {
    const hub = await startHub({
      peerLimit: { perMinute: 1, peers: { isProxy: () => false, of: () => 'a page' } },
    })
    try {
      const { visit } = await begin()
      const told = await visit.page.evaluate(async (url) => {
        const answers = [await fetch(url, { cache: 'no-store' }), await fetch(url, { cache: 'no-store' })]
        return answers.map(({ status, headers }) => [status, headers.get('retry-after') !== null])
      }, `${hub.url}/hub_info`)
      expect(told).to.deep.equal([
        [200, false],
        [429, true],
      ])
    } finally {
      await hub.close()
    }
  })
})

/** What the documents tell an operator to allow. */
function documentedRules(): CORSRule[] {
  const block = blocksOf('docs/configuration.md').find(({ text }) => text.startsWith('[{"AllowedOrigins"'))
  return JSON.parse(block?.text ?? '') as CORSRule[]
}
