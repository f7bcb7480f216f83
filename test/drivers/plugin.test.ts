import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { get, key, put } from '../../drivers/conformance/harness.ts'
import { DriverError } from '../../drivers/errors.ts'
import { loadPlugin, PluginError } from '../../drivers/plugin.ts'

const methods = ['stat', 'read', 'write', 'delete', 'copy', 'list', 'listBuckets', 'check', 'close']

/** The text of a module whose driver does nothing, but says which options it was given. */
function moduleText(exporting: string, without = ''): string {
  const driver = `{
    name: 'named-' + options?.word,
    capabilities: { atomicConditions: true, atomicDeletes: true, presign: false, range: true },
    ${methods
      .filter((method) => method !== without)
      .map((method) => `async ${method}() { return null }`)
      .join(',\n')}
  }`
  return `${exporting} async function createDriver(options) { return ${driver} }`
}

const commonJs = moduleText('exports.createDriver = createDriver;')

describe('loading a driver plugin', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mandate-plugin-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  async function putFile(path: string, text: string): Promise<void> {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }

  async function refusal(plugin: string): Promise<PluginError> {
    const error: unknown = await loadPlugin(plugin, {}, folder).catch((reason: unknown) => reason)
    if (!(error instanceof PluginError)) throw new Error(`expected a PluginError, got ${String(error)}`)
    expect(error.message).to.include(JSON.stringify(plugin))
    return error
  }

  const es = moduleText('export')
  for (const [title, files, plugin] of [
    ['a path to a module', { 'my-driver.mjs': es }, './my-driver.mjs'],
    ['a path without its ending', { 'my-driver.js': commonJs }, './my-driver'],
    ['a path to what is above', { 'x.mjs': es, 'config/y': '' }, '../{folder}/x.mjs'],
    ['a folder', { 'd/package.json': '{"main": "m.cjs"}', 'd/m.cjs': commonJs }, './d'],
    ['a package', { 'node_modules/p/package.json': '{"main": "m.mjs"}', 'node_modules/p/m.mjs': es }, 'p'],
    [
      'a package with a scope and exports',
      {
        'node_modules/@s/p/package.json': '{"exports": {"default": "./m.mjs"}}',
        'node_modules/@s/p/m.mjs': es,
      },
      '@s/p',
    ],
    [
      'a part of a package',
      { 'node_modules/p/package.json': '{}', 'node_modules/p/driver.cjs': commonJs },
      'p/driver.cjs',
    ],
    [
      'a package in a folder further up',
      { '../node_modules/up/package.json': '{"main": "m.cjs"}', '../node_modules/up/m.cjs': commonJs },
      'up',
    ],
    [
      'a CommonJS module that Node does not see through',
      {
        'd.cjs': `${moduleText('')}\nmodule.exports = Object.assign({}, { ['create' + 'Driver']: createDriver })`,
      },
      './d.cjs',
    ],
  ] as ReadonlyArray<readonly [string, Record<string, string>, string]>) {
    it(`takes ${title}`, async () => {
      const top = folder
      folder = join(top, 'inner')
      try {
        for (const [path, text] of Object.entries(files)) await putFile(path, text)
        const driver = await loadPlugin(plugin.replace('{folder}', 'inner'), { word: 'x' }, folder)
        expect(driver.name).to.equal('named-x')
      } finally {
        folder = top
      }
    })
  }

  it('takes the example', async () => {
    const example = fileURLToPath(new URL('../../drivers/example-plugin/index.js', import.meta.url))
    for (const path of [example, `./${relative(folder, example)}`]) {
      const driver = await loadPlugin(path, { location: join(folder, 'data') }, folder)
      await put(driver, key('a'), 'x')
      expect((await get(driver, key('a'))).text).to.equal('x')
      await driver.close()
    }
  })

  for (const [title, text, problem] of [
    ['that has a slip in it', 'export function createDriver( {', /cannot be loaded/],
    ['that fails while it is loaded', 'throw new Error("no licence")', /cannot be loaded: no licence/],
    [
      'that needs what is not installed',
      'import "not-installed-anywhere"',
      /cannot be loaded: .*not-installed/,
    ],
    ['that exports nothing', '', /exports no function createDriver/],
    ['that exports something else', 'export const createDriver = 7', /exports no function createDriver/],
    ['that makes nothing', 'export function createDriver() {}', /without stat, read, write/],
    ['whose driver lacks a method', moduleText('export', 'copy'), /without copy$/],
    ['whose driver has no name', moduleText('export').replace(/name: .*/, ''), /name is not one word/],
    [
      'whose driver does not say what it can',
      moduleText('export').replace(/range: true/, ''),
      /does not say: range/,
    ],
  ] as const) {
    it(`refuses a module ${title}`, async () => {
      await putFile('p.mjs', text)
      expect((await refusal('./p.mjs')).message).to.match(problem)
    })
  }

  for (const plugin of ['./missing', './missing.mjs', '../missing', '/missing/at/all', '.']) {
    it(`says of the path ${plugin} that nothing is there, and where it looked`, async () => {
      expect((await refusal(plugin)).message).to.include(`is not there (looked in ${folder})`)
    })
  }

  for (const plugin of ['mandate-driver-missing', '@missing/driver']) {
    it(`says of the package ${plugin} that it is not installed`, async () => {
      expect((await refusal(plugin)).message).to.include(`is not installed in ${folder}`)
    })
  }

  it('hands on the error of a storage that cannot be opened', async () => {
    const error = new DriverError('unavailable', 'not now')
    Object.assign(globalThis, { pluginTestError: error })
    await putFile('p.mjs', 'export async function createDriver() { throw globalThis.pluginTestError }')
    expect(await loadPlugin('./p.mjs', {}, folder).catch((reason: unknown) => reason)).to.equal(error)
  })
})
