import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { chmod, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { addressIn, startBin, tempFolder } from '../deploy/bins.ts'
import { checkout } from './markdown.ts'

/** The addresses that the documents name, those of `npm start` on the reader's own machine. */
const writtenHub = 'http://localhost:3000'
const writtenReader = 'http://localhost:3001'

/** Where the documents' examples are played: hub and reader, and a folder that looks like the checkout. */
export interface Stage {
  /** Where the servers keep their files. */
  readonly data: string
  /** Runs a program on its input; in what goes in and comes out, the servers have the documents' addresses. */
  run(command: readonly string[], input: string): Promise<Played>
}

export interface Played {
  status: number | null
  stdout: string
  stderr: string
}

/** Begins a stage; `endBins` ends it. */
export async function beginStage(options: { withCurl?: 'own' | 'stand-in' } = {}): Promise<Stage> {
  const args = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0', '--log-level', 'warn']
  const servers = await startBin('mandate-serve', { args })
  await servers.until(/ stop +Ctrl-C/)
  const folder = await tempFolder()
  await symlink(fileURLToPath(new URL('../..', import.meta.url)), join(folder, 'build'))
  await symlink(join(checkout, 'node_modules'), join(folder, 'node_modules'))
  // So that `mandate/client` is found by its name, as in an application.
  await symlink(join(checkout, 'package.json'), join(folder, 'package.json'))
  const path = await programs(folder, options.withCurl ?? (hasCurl() ? 'own' : 'stand-in'))
  const real = [addressIn(servers, 'write at'), addressIn(servers, 'read at')].map((url) => url.slice(0, -1))
  return {
    data: join(servers.folder, 'data'),
    async run(command, input) {
      // Programs know the hub of `npm start` by themselves.
      const env = { PATH: path, HOME: folder, MANDATE_HUB_URL: real[0] ?? '' }
      const played = await play(folder, env, command, replaceAll(input, [writtenHub, writtenReader], real))
      return { ...played, stdout: replaceAll(played.stdout, real, [writtenHub, writtenReader]) }
    },
  }
}

function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0
}

/** A PATH on which the examples find this very Node, the package's own programs, and a curl. */
async function programs(folder: string, curl: 'own' | 'stand-in'): Promise<string> {
  await writeProgram(folder, 'npx', npxScript())
  if (curl === 'stand-in') {
    const script = fileURLToPath(new URL('curl.js', import.meta.url))
    await writeProgram(folder, 'curl', `exec "${process.execPath}" "${script}" "$@"`)
  }
  return `${folder}:${dirname(process.execPath)}:${process.env.PATH ?? ''}`
}

/** What `npx` does in a checkout for the programs of package.json, without asking a registry for news of itself. */
function npxScript(): string {
  const { bin } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  const build = fileURLToPath(new URL('../..', import.meta.url))
  const cases = Object.entries(bin).map(
    ([name, file]) => `${name}) file="${join(build, file.replace(/^\.\/build\//, ''))}" ;;`,
  )
  return [
    'name=$1',
    'shift',
    `case "$name" in\n${cases.join('\n')}\n*) echo "no program $name" >&2; exit 127 ;;\nesac`,
    `exec "${process.execPath}" "$file" "$@"`,
  ].join('\n')
}

async function writeProgram(folder: string, name: string, script: string): Promise<void> {
  const file = join(folder, name)
  await writeFile(file, `#!/bin/sh\n${script}\n`)
  await chmod(file, 0o755)
}

async function play(
  folder: string,
  env: Record<string, string>,
  [program = '', ...args]: readonly string[],
  input: string,
): Promise<Played> {
  const child = spawn(program, args, { cwd: folder, env, stdio: 'pipe' })
  const status = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve)
  })
  child.stdin.end(input)
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { status: await status, stdout, stderr }
}

function replaceAll(content: string, from: readonly string[], to: readonly string[]): string {
  return from.reduce((done, one, i) => done.replaceAll(one, to[i] ?? ''), content)
}
