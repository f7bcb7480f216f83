import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { todoFiles } from '../../client/examples/todo/files.ts'
import { suiteStage } from '../client/sdk-stage.ts'
import { suiteBrowser } from './browser.ts'
import { type Site, startSite } from './site.ts'

describe('the to-do list of the examples', () => {
  const chromium = suiteBrowser()
  const stage = suiteStage()
  let site: Site | undefined
  before(async () => {
    const files = [...(await todoFiles())].map(([path, { content }]) => [path, content] as const)
    site = await startSite(new Map(files))
  })
  after(() => site?.close())

  const open = (link?: string) => {
    const query = `/?hub=${encodeURIComponent(stage.stage.hub.url)}`
    return chromium.visit(link ?? `${site?.url}${query}`)
  }
  const add = async (page: Page, text: string) => {
    await page.getByLabel('What is to be done').fill(text)
    await page.getByRole('button', { name: 'Add' }).click()
    await page.getByRole('checkbox', { name: text }).waitFor()
  }

  it('is kept for its owner, and shared with another by a link', async () => {
    const alice = await open()
    await add(alice.page, 'buy bread')
    await alice.page.getByRole('checkbox', { name: 'buy bread' }).check()

    const bob = await open()
    await bob.page.getByText('This is your own list.').waitFor()
    await bob.page.getByText('Share', { exact: true }).click()
    const did = (await bob.page.locator('#did').textContent()) ?? ''

    await alice.page.getByText('Share', { exact: true }).click()
    await alice.page.getByLabel("The other's did:key").fill(did)
    await alice.page.getByRole('button', { name: 'Make a link' }).click()
    await alice.page.locator('#link', { hasText: '#mandate=' }).waitFor()
    const link = (await alice.page.locator('#link').textContent()) ?? ''

    await bob.page.goto(link)
    await bob.page.reload()
    await bob.page.getByText('This list was shared with you.').waitFor()
    expect(new URL(bob.page.url()).hash).to.equal('')
    expect(await bob.page.getByRole('checkbox', { name: 'buy bread' }).isChecked()).to.equal(true)
    await add(bob.page, 'water the plants')
    await alice.page.getByRole('checkbox', { name: 'water the plants' }).waitFor()

    // Both at once: neither undoes what the other did.
    await Promise.all([add(alice.page, 'call mum'), add(bob.page, 'call dad')])
    for (const { page } of [alice, bob]) {
      for (const text of ['buy bread', 'water the plants', 'call mum', 'call dad']) {
        await page.getByRole('checkbox', { name: text }).waitFor()
      }
    }
    // The list is not there before its first item; every other fault would be one.
    const faults = [...alice.faults, ...bob.faults].filter((fault) => !fault.includes('404'))
    expect(faults.filter((fault) => !fault.includes('412') && !fault.includes('409'))).to.deep.equal([])
  })
})
