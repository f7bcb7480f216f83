import { spawn, spawnSync } from 'node:child_process'
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
  const path = await programs(folder, options.withCurl ?? (hasCurl() ? 'own' : 'stand-in'))
  const real = [addressIn(servers, 'write at'), addressIn(servers, 'read at')].map((url) => url.slice(0, -1))
  return {
    data: join(servers.folder, 'data'),
    async run(command, input) {
      const played = await play(folder, path, command, replaceAll(input, [writtenHub, writtenReader], real))
      return { ...played, stdout: replaceAll(played.stdout, real, [writtenHub, writtenReader]) }
    },
  }
}

function hasCurl(): boolean {
  return spawnSync('curl', ['--version']).status === 0
}

/** A PATH on which the examples find this very Node, and a curl. */
async function programs(folder: string, curl: 'own' | 'stand-in'): Promise<string> {
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ''}`
  if (curl === 'own') return path
  const script = fileURLToPath(new URL('curl.js', import.meta.url))
  const file = join(folder, 'curl')
  await writeFile(file, `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`)
  await chmod(file, 0o755)
  return `${folder}:${path}`
}

async function play(
  folder: string,
  path: string,
  [program = '', ...args]: readonly string[],
  input: string,
): Promise<Played> {
  const child = spawn(program, args, { cwd: folder, env: { PATH: path }, stdio: 'pipe' })
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
