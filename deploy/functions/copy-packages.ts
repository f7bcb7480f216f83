import { cp, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Packages with native code: they cannot be bundled. Each is loaded where it is there; without it checks are slower. */
export const nativePackages = ['secp256k1', 'sodium-native'] as const

/** What functions run on. Of secp256k1 there is no prebuilt addon for the other one. */
const platforms = ['linux-x64', 'linux-arm64']

/**
 * Puts the packages with native code and what they need to load it into `node_modules` of a folder: their prebuilt
 * addons for the platforms of clouds, without sources and other platforms.
 */
export async function copyPackages(folder: string): Promise<void> {
  const copied = new Set<string>()
  for (const name of nativePackages) await copyPackage(name, import.meta.url, folder, copied)
}

/** Dependencies that addons are built with, or that stand in for them. */
const notNeeded: ReadonlySet<string> = new Set(['elliptic', 'node-addon-api', 'bare-assert'])

async function copyPackage(name: string, from: string, folder: string, copied: Set<string>): Promise<void> {
  if (copied.has(name) || notNeeded.has(name)) return
  copied.add(name)
  const source = packageFolder(name, from)
  await cp(source, join(folder, 'node_modules', name), {
    recursive: true,
    filter: (path) => isNeeded(source, path),
  })
  const text = await readFile(join(source, 'package.json'), 'utf8')
  const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> }
  for (const dependency of Object.keys(dependencies)) {
    await copyPackage(dependency, join(source, 'package.json'), folder, copied)
  }
}

/** Not every package lets its `package.json` be resolved. */
function packageFolder(name: string, from: string): string {
  const paths = createRequire(from).resolve.paths(name) ?? []
  for (const path of paths) {
    try {
      return dirname(createRequire(join(path, 'x')).resolve(join(path, name, 'package.json')))
    } catch {
      // Further up, then.
    }
  }
  throw new Error(`the package ${name} is not installed`)
}

function isNeeded(source: string, path: string): boolean {
  const parts = path.slice(source.length + 1).split('/')
  if (parts[0] === 'node_modules' || parts[0] === 'src' || /\.(bare|cc|gyp)$/.test(path)) return false
  const [first, platform] = parts
  return first !== 'prebuilds' || platform === undefined || platforms.includes(platform)
}
