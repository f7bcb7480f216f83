import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import type { CliOptions } from '../../client/cli/io.ts'
import { runCli } from '../../client/cli/run.ts'
import { type SdkStage, startSdkStage } from '../client/sdk-stage.ts'
import type { HubOverrides } from '../hub/harness.ts'

/** What a run of the program left. */
export interface Run {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** The lines of standard output, each parsed. */
  json(): Record<string, unknown>[]
}

export interface RunOptions extends Partial<Omit<CliOptions, 'stdin'>> {
  stdin?: string | Readable
  /** Whether all three streams are a terminal. */
  isTerminal?: boolean
}

/** The machine of a user: a home, a folder to work in, and the program. */
export interface CliStage {
  readonly home: string
  readonly folder: string
  run(argv: readonly string[], options?: RunOptions): Promise<Run>
  /** The same, and the run must end with status 0. */
  ok(argv: readonly string[], options?: RunOptions): Promise<Run>
  write(name: string, text: string): Promise<string>
  read(name: string): Promise<string>
}

/** @param hubUrl `null` for a machine that knows no hub */
async function makeMachine(hubUrl: string | null): Promise<CliStage> {
  const home = await mkdtemp(join(tmpdir(), 'mandate-cli-'))
  const folder = join(home, 'work')
  await mkdir(folder)
  const env = hubUrl === null ? {} : { MANDATE_HUB_URL: hubUrl }
  const run = async (argv: readonly string[], options: RunOptions = {}): Promise<Run> => {
    const { stdin = '', isTerminal = false, env: more = {}, ...rest } = options
    const [stdout, stderr] = [new Sink(isTerminal), new Sink(isTerminal)]
    const input = typeof stdin === 'string' ? Readable.from([Buffer.from(stdin)]) : stdin
    const status = await runCli(
      {
        stdin: Object.assign(input, { isTTY: isTerminal }),
        stdout,
        stderr,
        env: { ...env, ...more },
        homeFolder: home,
        workingFolder: folder,
        version: '0.0.0',
        ...rest,
      },
      argv,
    )
    const text = stdout.text()
    const json = () =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    return { status, stdout: text, stderr: stderr.text(), json }
  }
  return {
    home,
    folder,
    run,
    async ok(argv, options) {
      const done = await run(argv, options)
      if (done.status !== 0)
        throw new Error(`mandate ${argv.join(' ')}: status ${done.status}: ${done.stderr}`)
      return done
    },
    async write(name, text) {
      const file = join(folder, name)
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, text)
      return file
    },
    read: (name) => readFile(join(folder, name), 'utf8'),
  }
}

/** Collects what is written; a terminal of 80 columns where it is one. */
class Sink extends PassThrough {
  readonly isTTY: boolean
  readonly columns = 80
  readonly #chunks: Buffer[] = []

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
    this.on('data', (chunk: Buffer) => this.#chunks.push(chunk))
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}

/** A hub and a reader for all tests of the suite around the call, and a fresh machine for each. */
export function suiteMachines(overrides: () => HubOverrides = () => ({})) {
  let sdk: SdkStage | undefined
  const machines: CliStage[] = []
  before(async () => {
    sdk = await startSdkStage(overrides())
  })
  after(async () => {
    await sdk?.close()
  })
  afterEach(async () => {
    for (const { home } of machines.splice(0)) await rm(home, { recursive: true, force: true })
  })
  const stage = (): SdkStage => {
    if (sdk === undefined) throw new Error('the stage of the suite stands while its tests run')
    return sdk
  }
  const machine = async (hubUrl: string | null = stage().hub.url): Promise<CliStage> => {
    const made = await makeMachine(hubUrl)
    machines.push(made)
    return made
  }
  return {
    stage,
    machine,
    /** A machine whose user has keys of these names; the first one acts where none is named. */
    async machineOf(...keys: readonly string[]): Promise<CliStage> {
      const made = await machine()
      for (const key of keys) await made.ok(['key', 'new', key, '--words', '12'])
      return made
    },
  }
}

/** What `key show` tells of a key. */
export async function keyOf(machine: CliStage, name: string): Promise<{ address: string; did: string }> {
  const [view] = (await machine.ok(['key', 'show', name, '--json'])).json()
  return { address: String(view?.address), did: String(view?.did) }
}
