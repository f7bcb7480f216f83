import { expect } from 'chai'
import { todoFiles } from '../../client/examples/todo/files.ts'
import { suiteBrowser } from '../browser/browser.ts'
import { type Site, startSite } from '../browser/site.ts'
import { suiteStage } from '../client/sdk-stage.ts'
import { endBins } from '../deploy/bins.ts'
import { expectScriptExamples } from './examples.ts'
import { blocksOf, readDocument } from './markdown.ts'
import { sdkReference, sdkReferenceHeading } from './sdk-reference.ts'
import { beginStage } from './stage.ts'

describe('docs/sdk.md', () => {
  it('holds the reference that the docstrings give (npm run docs:sdk)', function () {
    this.timeout(60_000)
    const [, reference = ''] = readDocument('docs/sdk.md').split(sdkReferenceHeading)
    expect(reference.trim()).to.equal(sdkReference())
  })

  describe('by its examples', () => {
    afterEach(endBins)

    it('says what they print', async () => {
      await expectScriptExamples('docs/sdk.md', await beginStage())
    })
  })

  describe('by its first dApp', () => {
    const chromium = suiteBrowser()
    const stage = suiteStage()
    let site: Site | undefined
    before(async () => {
      const page = blocksOf('docs/sdk.md').find(({ language }) => language === 'html')?.text ?? ''
      const script = (await todoFiles()).get('/mandate.js')?.content ?? ''
      const files = [
        ['/', page.replace('http://localhost:3000', stage.stage.hub.url)],
        ['/mandate.js', script],
      ] as const
      site = await startSite(new Map(files))
    })
    after(() => site?.close())

    it('has one of some thirty lines, which keeps a note', async () => {
      const lines =
        blocksOf('docs/sdk.md')
          .find(({ language }) => language === 'html')
          ?.text.split('\n') ?? []
      expect(lines).to.have.lengthOf.at.most(31)
      const { page } = await chromium.visit(site?.url ?? '')
      await page.waitForFunction(() => document.querySelector<HTMLElement>('#save')?.onclick !== null)
      await page.locator('#note').fill('remember the milk')
      await page.locator('#save').click()
      await page.getByText('saved at').waitFor()
      await page.reload()
      await page.waitForFunction(
        () => document.querySelector<HTMLTextAreaElement>('#note')?.value === 'remember the milk',
      )
    })
  })
})
