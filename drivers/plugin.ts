import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Driver } from './driver.ts'
import type { Access } from './read-only.ts'

/** A plugin that cannot be used; `message` names it and says what is wrong. */
export class PluginError extends Error {
  constructor(plugin: string, problem: string, cause?: unknown) {
    super(`the driver ${JSON.stringify(plugin)} ${problem}`, cause === undefined ? undefined : { cause })
    this.name = 'PluginError'
  }
}

/** What a plugin is told besides its own settings. */
export interface PluginContext {
  /**
   * Whether the storage is only read from, as by a reader. Then a plugin should need no right to write, and try none;
   * its driver is not asked to change anything.
   */
  access: Access
}

/**
 * Makes a driver by way of a module that is no part of this package: one that exports
 * `createDriver(options, context): Driver | Promise<Driver>`.
 * @param nameOrPath a package's name, or a path (`./…`, `../…` or absolute) to a module or to a folder with one
 * @param options handed on as they are; what they may hold is the plugin's business
 * @param folder what relative paths start from, and where packages are looked for first, before those that are
 * installed with this one: the configuration file's folder
 * @param context see {@link PluginContext}; to write, unless said otherwise
 * @throws {PluginError} when there is no such module, or it is no plugin; whatever `createDriver` rejects with
 */
export async function loadPlugin(
  nameOrPath: string,
  options: unknown,
  folder: string = process.cwd(),
  context: PluginContext = { access: 'write' },
): Promise<Driver> {
  const createDriver = await findFactory(nameOrPath, resolve(folder))
  const driver: unknown = await createDriver(options, context)
  checkDriver(nameOrPath, driver)
  return driver
}

type Factory = (options: unknown, context: PluginContext) => unknown

async function findFactory(plugin: string, folder: string): Promise<Factory> {
  const url = findModule(plugin, folder)
  let exports: unknown
  try {
    exports = await import(url)
  } catch (error) {
    if (url === plugin && codeOf(error) === 'ERR_MODULE_NOT_FOUND' && !isPathLike(plugin)) {
      throw new PluginError(plugin, `is not installed in ${folder} nor beside Mandate`, error)
    }
    throw new PluginError(plugin, `cannot be loaded: ${messageOf(error)}`, error)
  }
  return factoryIn(plugin, exports)
}

/** Exports of a CommonJS module that Node does not see through stand in `default`. */
function factoryIn(plugin: string, exports: unknown): Factory {
  for (const found of [
    fieldOf(exports, 'createDriver'),
    fieldOf(fieldOf(exports, 'default'), 'createDriver'),
  ]) {
    if (typeof found === 'function') return (options, context) => found(options, context)
  }
  throw new PluginError(plugin, 'exports no function createDriver')
}

/** What to import: the URL of a file, or the name itself where only this package's surroundings can know it. */
function findModule(plugin: string, folder: string): string {
  try {
    return pathToFileURL(createRequire(join(folder, 'config.json')).resolve(plugin)).href
  } catch (error) {
    if (isPathLike(plugin)) throw new PluginError(plugin, `is not there (looked in ${folder})`, error)
    return plugin
  }
}

function isPathLike(plugin: string): boolean {
  return /^(\.{0,2}\/|\.{1,2}$|[a-zA-Z]:[\\/])/.test(plugin)
}

const methods = ['stat', 'read', 'write', 'delete', 'copy', 'list', 'listBuckets', 'check', 'close'] as const
const capabilities = ['atomicConditions', 'atomicDeletes', 'presign', 'range'] as const

/** Finds a plugin that is unfinished, or made for another version, before it is relied on. */
function checkDriver(plugin: string, driver: unknown): asserts driver is Driver {
  const missing = methods.filter((method) => typeof fieldOf(driver, method) !== 'function')
  if (missing.length > 0) throw new PluginError(plugin, `made a driver without ${missing.join(', ')}`)
  const name = fieldOf(driver, 'name')
  if (typeof name !== 'string' || !/^\S+$/.test(name)) {
    throw new PluginError(plugin, 'made a driver whose name is not one word')
  }
  const said = fieldOf(driver, 'capabilities')
  const unsaid = capabilities.filter((capability) => typeof fieldOf(said, capability) !== 'boolean')
  if (unsaid.length > 0)
    throw new PluginError(plugin, `made a driver that does not say: ${unsaid.join(', ')}`)
}

function fieldOf(value: unknown, name: string): unknown {
  const holds = (typeof value === 'object' && value !== null) || typeof value === 'function'
  return holds ? (value as Record<string, unknown>)[name] : undefined
}

function codeOf(error: unknown): unknown {
  return fieldOf(error, 'code')
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
