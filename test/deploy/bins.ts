import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export type Bin = 'mandate-serve' | 'mandate-hub' | 'mandate-reader' | 'demo'

export interface BinOptions {
  args?: string[]
  env?: Record<string, string>
  /** Becomes `config.json` in the working folder. */
  file?: unknown
  /** Options for Node itself. */
  nodeArgs?: string[]
  /** A command that runs Node. */
  under?: string[]
}

/** A command as a process of its own, in a fresh working folder, with nothing of our own environment. */
export interface BinProcess {
  folder: string
  child: ChildProcess
  stdout(): string
  stderr(): string
  /** Resolves when the text stands in what was printed so far. @throws where the process ends without it */
  until(text: string | RegExp): Promise<void>
  /** Exit status, `null` where a signal ended it. */
  exit(): Promise<number | null>
  /** The lines of the log. */
  log(): Record<string, unknown>[]
}

const started = new Set<BinProcess>()
const folders = new Set<string>()

/** A folder that {@link endBins} removes. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mandate-test-'))
  folders.add(folder)
  return folder
}

export async function startBin(bin: Bin, options: BinOptions = {}): Promise<BinProcess> {
  const { args = [], env = {}, file, nodeArgs = [], under = [] } = options
  const folder = await tempFolder()
  if (file !== undefined) await writeFile(join(folder, 'config.json'), JSON.stringify(file))
  const script = fileURLToPath(new URL(`../../deploy/process/bin/${bin}.js`, import.meta.url))
  const [program = process.execPath, ...rest] = [...under, process.execPath, ...nodeArgs, script, ...args]
  const child = spawn(program, rest, {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const process_ = follow(child, folder)
  started.add(process_)
  return process_
}

function follow(child: ChildProcess, folder: string): BinProcess {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  // 'close' and not 'exit': only then has everything that was printed arrived.
  const closed = once(child, 'close').then(([status]) => status as number | null)
  let ended = false
  void closed.then(() => {
    ended = true
  })
  return {
    folder,
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    exit: () => closed,
    log: () =>
      stdout
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async until(text) {
      const found = () =>
        typeof text === 'string' ? (stdout + stderr).includes(text) : text.test(stdout + stderr)
      while (!found()) {
        if (ended) throw new Error(`the process ended without ${String(text)}:\n${stdout}${stderr}`)
        await sleep(10)
      }
    },
  }
}

/** Runs a command to its end. */
export async function runBin(bin: Bin, options: BinOptions = {}) {
  const running = await startBin(bin, options)
  const status = await running.exit()
  return { status, stdout: running.stdout(), stderr: running.stderr(), folder: running.folder }
}

/** Ends every process that was started here and removes every folder. */
export async function endBins(): Promise<void> {
  for (const running of started) {
    const { child } = running
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
    await running.exit()
  }
  started.clear()
  for (const folder of folders) await rm(folder, { recursive: true, force: true })
  folders.clear()
}

/** An address that the summary names: `write at`, `read at`. */
export function addressIn(running: BinProcess, label: 'write at' | 'read at'): string {
  const url = new RegExp(`${label} +(https?://[^ ]+/)`).exec(running.stderr())?.[1]
  if (url === undefined) throw new Error(`no "${label}" in ${running.stderr()}`)
  return url
}
