import { copyFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Artefact, artefacts } from './artefacts.ts'
import { bundleCode } from './bundle-code.ts'
import { copyPackages, nativePackages } from './copy-packages.ts'
import { zipFolder } from './zip-folder.ts'

/** Of the checkout, from the build folder. */
const checkout = new URL('../../../', import.meta.url)
const built = new URL('../../', import.meta.url)

/** Where everything goes: `build/functions/<name>/` and `<name>.zip`. */
export const functionsFolder = fileURLToPath(new URL('functions/', built))

export interface Bundled {
  folder: string
  zip: string
  zipBytes: number
  codeBytes: number
}

/**
 * Makes one artefact anew. The code lies one folder below `package.json`, where hub and reader look for it, and beside
 * the script of their browsable description.
 */
export async function bundle(artefact: Artefact): Promise<Bundled> {
  const folder = join(functionsFolder, artefact.name)
  const zip = `${folder}.zip`
  const code = join(folder, 'app', 'index.mjs')
  await Promise.all([rm(folder, { recursive: true, force: true }), rm(zip, { force: true })])
  await mkdir(join(folder, 'app'), { recursive: true })
  await bundleCode(artefact, code)
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(await packageOf(artefact), null, 2)}\n`)
  for (const name of ['explorer.js', 'explorer.LICENSE']) {
    await copyFile(new URL(`http/api-docs/${name}`, built), join(folder, 'app', name))
  }
  if (artefact.withPackages) await copyPackages(folder)
  if (artefact.cloud === 'azure')
    await copyFile(new URL('deploy/azure/host.json', checkout), join(folder, 'host.json'))
  await zipFolder(folder, zip)
  return { folder, zip, zipBytes: (await stat(zip)).size, codeBytes: (await stat(code)).size }
}

interface PackageFile {
  name: string
  version: string
  dependencies: Record<string, string>
}

async function packageOf({ cloud, withPackages }: Artefact): Promise<object> {
  const own = JSON.parse(await readFile(new URL('package.json', checkout), 'utf8')) as PackageFile & {
    devDependencies: Record<string, string>
  }
  const framework = '@google-cloud/functions-framework'
  const names = [...(withPackages ? [] : nativePackages), ...(cloud === 'google-cloud' ? [framework] : [])]
  const versions = { ...own.devDependencies, ...own.dependencies }
  return {
    name: own.name,
    version: own.version,
    private: true,
    type: 'module',
    main: 'app/index.mjs',
    ...(names.length === 0
      ? {}
      : { dependencies: Object.fromEntries(names.map((name) => [name, versions[name]])) }),
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const artefact of artefacts) {
    const { zip, zipBytes } = await bundle(artefact)
    console.log(`${(zipBytes / 1e6).toFixed(2)} MB  ${zip}`)
  }
}
