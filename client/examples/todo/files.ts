import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** What the site of the to-do list is made of, by path. */
export async function todoFiles(): Promise<ReadonlyMap<string, { type: string; content: string }>> {
  // The page lies with the sources; this file runs from `build/client/examples/todo/`.
  const page = new URL('../../../../client/examples/todo/index.html', import.meta.url)
  return new Map([
    ['/', { type: 'text/html; charset=utf-8', content: await readFile(page, 'utf8') }],
    ['/mandate.js', { type: 'text/javascript; charset=utf-8', content: await bundleSdk() }],
  ])
}

/** The SDK as one file: `npx esbuild mandate/client --bundle --minify --format=esm` does the same. */
async function bundleSdk(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('../../index.js', import.meta.url))],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}
