import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import type { Artefact } from './artefacts.ts'

/** Drivers that are loaded where they are used only; of these an artefact has one. */
const cloudDrivers = ['s3', 'gcs', 'azure']

/**
 * What packages of the older kind expect, in an ES module. Its names must be none that a package uses.
 */
const banner = `
import { createRequire as bundleCreateRequire } from 'node:module';
import { fileURLToPath as bundleFileURLToPath } from 'node:url';
const require = bundleCreateRequire(import.meta.url);
const __filename = bundleFileURLToPath(import.meta.url);
const __dirname = bundleFileURLToPath(new URL('.', import.meta.url));
`.trim()

/**
 * Bundles the entry of an artefact into one file, out of the compiled files beside this one. Licences of what is in it
 * are kept at its end.
 */
export async function bundleCode({ cloud, kind, driver }: Artefact, outfile: string): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL(`../${cloud}/${kind}.js`, import.meta.url))],
    outfile,
    bundle: true,
    minify: true,
    // Errors are told apart by class, and logs name them.
    keepNames: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // Node's own conditions first: the builds for browsers of some packages are larger and slower.
    mainFields: ['module', 'main'],
    banner: { js: banner },
    legalComments: 'eof',
    // Given by the runtime of Azure.
    external: ['@azure/functions-core'],
    plugins: [withoutOtherDrivers(driver)],
    logLevel: 'error',
  })
}

/** The SDK of a storage is most of an artefact: those of the other storages are left out. */
function withoutOtherDrivers(driver: Artefact['driver']): Plugin {
  const others = cloudDrivers.filter((name) => name !== driver)
  return {
    name: 'without-other-drivers',
    setup(made) {
      made.onResolve({ filter: new RegExp(`/drivers/(${others.join('|')})/index\\.js$`) }, ({ path }) => ({
        path,
        namespace: 'left-out',
      }))
      made.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({
        contents: `throw new Error('this artefact has the SDK of the driver ${driver} alone')`,
      }))
      // Traces cannot be sent from a function, metrics cannot be fetched.
      made.onResolve({ filter: /\/watch\/(tracing|metrics)\.js$/ }, ({ path }) => ({ path, external: true }))
    },
  }
}
