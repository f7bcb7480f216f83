import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'

/** The script lies with the sources; this file runs from `build/test/browser/`. */
const finder = fileURLToPath(new URL('../../../test/browser/chromium.sh', import.meta.url))

const args = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  // It would ask hosts on the internet at every start.
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** A page of somebody of their own: no storage and no cookies of others. */
export interface Visit {
  readonly page: Page
  /** Every error on the page that nobody caught, and every message of an error to its console. */
  readonly faults: readonly string[]
  /** Every URL that the page asked for. */
  readonly requests: readonly string[]
}

export interface TestBrowser {
  visit(url: string): Promise<Visit>
}

/** One headless Chromium for all tests of the suite around the call, installed where it is missing. */
export function suiteBrowser(): TestBrowser {
  let browser: Browser | undefined
  const contexts: BrowserContext[] = []
  before(async function () {
    // Another process may be installing something, and is waited for.
    this.timeout(300_000)
    const { stdout } = await promisify(execFile)(finder)
    browser = await chromium.launch({
      executablePath: stdout.trim(),
      // Chromium refuses to sandbox for root.
      chromiumSandbox: process.getuid?.() !== 0,
      args,
    })
  })
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
  })
  after(() => browser?.close())
  return {
    async visit(url) {
      if (browser === undefined) throw new Error('the browser runs while the tests of its suite do')
      const context = await browser.newContext()
      contexts.push(context)
      return begin(await context.newPage(), url)
    },
  }
}

async function begin(page: Page, url: string): Promise<Visit> {
  const faults: string[] = []
  const requests: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text())
  })
  page.on('request', (request) => requests.push(request.url()))
  await page.goto(url)
  return { page, faults, requests }
}
