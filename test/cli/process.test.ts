import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'chai'
import { type CliStage, suiteMachines } from './cli-stage.ts'

const program = fileURLToPath(new URL('../../deploy/cli/bin/mandate.js', import.meta.url))

/**
 * Prints the most memory that the process was seen to have, in bytes, as its last line. The system's own account of it
 * (maxRSS) begins, on Linux, with that of the process which started this one.
 */
const tellMemory = `data:text/javascript,${encodeURIComponent(`
  let most = 0
  const look = () => { most = Math.max(most, process.memoryUsage.rss()) }
  setInterval(look, 10).unref()
  process.on('exit', () => { look(); process.stderr.write('\\nrss ' + most) })
`)}`

const mebibyte = 1_048_576

describe('the program mandate', () => {
  const suite = suiteMachines(() => ({ maxFileUploadSizeMegabytes: 512 }))
  const started: ChildProcessWithoutNullStreams[] = []
  afterEach(() => {
    for (const child of started.splice(0)) child.kill('SIGKILL')
  })

  function start(machine: CliStage, args: readonly string[]): ChildProcessWithoutNullStreams {
    const child = spawn(process.execPath, ['--import', tellMemory, program, ...args], {
      cwd: machine.folder,
      env: { PATH: process.env.PATH, HOME: machine.home, MANDATE_HUB_URL: suite.stage().hub.url },
    })
    started.push(child)
    return child
  }

  async function end(child: ChildProcessWithoutNullStreams) {
    const [stdout, stderr, [status]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close') as Promise<[number | null]>,
    ])
    return { status, stdout, stderr, rssBytes: Number(/rss (\d+)$/.exec(stderr)?.[1]) }
  }

  it('moves a large file up and down in a bounded memory', async function () {
    this.timeout(60_000)
    const machine = await suite.machineOf('alice')
    const size = 128 * mebibyte
    const file = join(machine.folder, 'big.bin')
    await pipeline(blocks(size), createWriteStream(file))
    const put = await end(start(machine, ['put', 'big.bin']))
    expect(put.status, put.stderr).to.equal(0)
    const got = await end(start(machine, ['get', 'big.bin', 'got.bin']))
    expect(got.status, got.stderr).to.equal(0)
    expect(await sha256(join(machine.folder, 'got.bin'))).to.equal(await sha256(file))
    for (const { rssBytes } of [put, got]) expect(rssBytes).to.be.within(20 * mebibyte, 150 * mebibyte)
  })

  it('ends in order by Ctrl-C, with status 130', async () => {
    const machine = await suite.machineOf('alice')
    // Standard input that stays open: the upload waits for more.
    const child = start(machine, ['put', '-', 'a.txt'])
    const ended = end(child)
    child.stdin.write('some of it')
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    child.kill('SIGINT')
    const { status, stderr } = await ended
    expect(status).to.equal(130)
    expect(stderr).to.include('error: interrupted')
    expect((await machine.run(['cat', 'a.txt'])).status).to.equal(3)
  })

  it('is content with a reader that has read enough', async () => {
    const machine = await suite.machineOf('alice')
    await machine.ok(['put', '-', 'a.txt'], { stdin: 'x'.repeat(4 * mebibyte) })
    const child = start(machine, ['cat', 'a.txt'])
    const [closed] = await Promise.all([
      once(child, 'close') as Promise<[number | null]>,
      once(child.stdout, 'data').then(() => child.stdout.destroy()),
    ])
    expect(closed[0]).to.equal(0)
  })

  it('serves a hub and a reader, with the flags of mandate-serve', async () => {
    const machine = await suite.machine()
    const { status, stdout } = await end(start(machine, ['serve', '--print-config', '--port', '8123']))
    expect(status).to.equal(0)
    expect(stdout).to.include('8123')
  })
})

function* blocks(size: number): Generator<Buffer> {
  for (let i = 0; i < size / mebibyte; i++) yield Buffer.alloc(mebibyte, i)
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}
