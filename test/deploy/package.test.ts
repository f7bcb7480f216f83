import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'

const checkout = new URL('../../../', import.meta.url)
const packageFile = fileURLToPath(new URL('package.json', checkout))

const { scripts, exports, dependencies } = JSON.parse(readFileSync(packageFile, 'utf8')) as {
  scripts: { prepare: string }
  exports: Record<string, string>
  dependencies: Record<string, string>
}

/** npx prepares a checkout whose commands it runs for the first time. */
describe('a checkout without what only development needs', () => {
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'package-'))
    cpSync(packageFile, join(folder, 'package.json'))
  })

  afterEach(() => rmSync(folder, { recursive: true }))

  it('is prepared by npx where it was built before: that runs its commands', () => {
    mkdirSync(join(folder, 'build'))
    const { status, stderr } = prepare('exec')
    expect(status, stderr).to.equal(0)
  })

  it('is not where it was never built, nor by an installation: what is built may be of a former version', () => {
    expect(prepare('exec').status).not.to.equal(0)
    mkdirSync(join(folder, 'build'))
    expect(prepare('ci').status).not.to.equal(0)
  })

  function prepare(command: 'exec' | 'ci') {
    // Nothing is to be found beside what the folder holds. What npm runs is told by a variable, which it sets.
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, npm_command: command }
    return spawnSync('sh', ['-c', scripts.prepare], { cwd: folder, env, encoding: 'utf8' })
  }
})

describe('the files of the package', () => {
  it('hold all that its README leads to', () => {
    const folder = fileURLToPath(checkout)
    const args = ['pack', '--dry-run', '--json', '--ignore-scripts']
    const { stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8' })
    const [packed] = JSON.parse(stdout || '[]') as { files: { path: string }[] }[]
    if (packed === undefined) throw new Error(stderr)
    const paths = packed.files.map(({ path }) => path)
    const readme = readFileSync(new URL('README.md', checkout), 'utf8')
    const targets = [...readme.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target ?? '')
    expect(targets).to.have.lengthOf.at.least(1)
    expect(targets.filter((target) => !paths.includes(target))).to.deep.equal([])
  })
})

describe('the types of the package', () => {
  for (const [name, script] of Object.entries(exports)) {
    it(`are all there where it is installed: ${name}`, () => {
      const missing = [...packagesOf(typesOf(new URL(script, checkout)))].filter(
        (one) => !(one in dependencies && (hasTypes(one) || `@types/${one}` in dependencies)),
      )
      expect(missing).to.deep.equal([])
    })
  }

  /** Packages of others that a file of types leads to. */
  function packagesOf(file: URL, found = new Set<string>(), seen = new Set<string>()): Set<string> {
    if (seen.has(file.href)) return found
    seen.add(file.href)
    for (const [, target = ''] of readFileSync(file, 'utf8').matchAll(
      /(?:from |import\()['"]([^'"]+)['"]/g,
    )) {
      if (target.startsWith('.')) packagesOf(typesOf(new URL(target, file)), found, seen)
      else if (!isOfNode(target)) found.add(/^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target)
    }
    return found
  }

  function typesOf(script: URL): URL {
    return new URL(script.href.replace(/\.[jt]s$/, '.d.ts'))
  }

  function isOfNode(target: string): boolean {
    return target.startsWith('node:') || builtinModules.includes(target)
  }

  function hasTypes(name: string): boolean {
    const folder = new URL(`node_modules/${name}/`, checkout)
    const text = readFileSync(new URL('package.json', folder), 'utf8')
    return /"types(?:ings)?":|\.d\.[cm]?ts"/.test(text) || existsSync(new URL('index.d.ts', folder))
  }
})
