import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { expect } from 'chai'
import { build } from 'esbuild'

const maxBytes = 45 * 1024

interface Bundle {
  text: string
  gzippedBytes: number
  /** What the bundle would still load from elsewhere. */
  imports: string[]
}

async function bundle(exported: string): Promise<Bundle> {
  const entry = fileURLToPath(new URL('../../../client/index.js', import.meta.url))
  const { outputFiles, metafile } = await build({
    stdin: { contents: `export ${exported} from ${JSON.stringify(entry)}`, resolveDir: '.' },
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    // What is of Node would be left as it is, and found below, rather than break the build.
    external: ['node:*'],
    write: false,
    metafile: true,
    logLevel: 'silent',
  })
  const [file] = outputFiles
  const imports = Object.values(metafile.outputs).flatMap((output) => output.imports.map(({ path }) => path))
  return {
    text: file?.text ?? '',
    gzippedBytes: gzipSync(file?.contents ?? '', { level: 9 }).length,
    imports,
  }
}

describe('the SDK, bundled for browsers', () => {
  let whole: Bundle
  before(async () => {
    whole = await bundle('*')
  })

  it(`takes at most 45 KB gzipped, with everything in it`, () => {
    expect(whole.text).to.include('hub_info')
    expect(whole.gzippedBytes).to.be.at.most(maxBytes)
  })

  it('imports nothing of Node, and nothing at all', () => {
    expect(whole.imports).to.deep.equal([])
    expect(whole.text).not.to.match(/["'`]node:/)
  })

  it("uses none of Node's globals", () => {
    expect(whole.text).not.to.match(/(?<![\w$.])(?:Buffer|process|setImmediate)\.|__dirname/)
  })

  it('keeps the names of its errors, though everything is renamed', async () => {
    const module = (await import(`data:text/javascript,${encodeURIComponent(whole.text)}`)) as Record<
      string,
      unknown
    >
    const classes = Object.entries(module).filter(
      (entry): entry is [string, new (...args: string[]) => Error] =>
        typeof entry[1] === 'function' && entry[1].prototype instanceof Error,
    )
    expect(classes.length).to.be.above(15)
    for (const [name, ErrorClass] of classes) expect(new ErrorClass('code', 'message').name).to.equal(name)
  })

  it('leaves out what is not used', async () => {
    const part = await bundle('{ generateSigner }')
    expect(part.gzippedBytes).to.be.below(whole.gzippedBytes / 4)
  })
})
