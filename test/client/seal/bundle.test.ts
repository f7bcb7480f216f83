import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { build } from 'esbuild'

const pathOf = (name: string) =>
  JSON.stringify(fileURLToPath(new URL(`../../../client/${name}`, import.meta.url)))

async function bundle(contents: string): Promise<{ bytes: number; text: string; imports: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: '.' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // The second is loaded where a backup of a key is read, and nowhere else: bundlers make it a file of its own.
    external: ['node:*', '@noble/curves/nist.js'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const text = outputFiles[0]?.text ?? ''
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  return { bytes: gzipSync(text, { level: 9 }).length, text, imports }
}

describe('sealed files, bundled for browsers', () => {
  it('add at most 23 KB gzipped to the SDK, and import nothing of Node', async () => {
    const sdk = `export * from ${pathOf('index.js')}`
    const alone = await bundle(sdk)
    const both = await bundle(`${sdk}; export * from ${pathOf('seal/index.js')}`)
    expect(both.text).to.include('mandate sealed content v1')
    expect(alone.text).not.to.include('mandate sealed content v1')
    expect(both.bytes - alone.bytes).to.be.at.most(23 * 1024)
    // What @hpke/common would load where there is no `globalThis.crypto`: in no browser, and in no Node that is supported.
    expect(both.imports).to.have.members(['crypto', '@noble/curves/nist.js'])
    expect(both.text).not.to.match(/["'`]node:|(?<![\w$.])(?:Buffer|process|setImmediate)\./)
  })
})
