import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { BackOff } from '../../deploy/process/workers/back-off.ts'
import { addressIn, type BinProcess, endBins, startBin, tempFolder } from './bins.ts'
import { refusal } from './configure.ts'
import { metricsOf, sumOf } from './metrics.ts'
import { alice, beginUpload, store } from './owner.ts'

const args = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0', '--workers', '2']

async function start(file: object = {}): Promise<BinProcess> {
  const running = await startBin('mandate-serve', { args, file: { metrics: { port: 0 }, ...file } })
  await running.until('stop ')
  return running
}

/** Over a storage that takes a second to open, once there is a file `slow`. */
async function startSlow(): Promise<BinProcess> {
  const folder = await tempFolder()
  const disk = new URL('../../drivers/disk/index.js', import.meta.url).href
  const module = `
    import { existsSync } from 'node:fs'
    import { setTimeout as sleep } from 'node:timers/promises'
    import { diskDriver } from ${JSON.stringify(disk)}
    export async function createDriver() {
      if (existsSync('slow')) {
        console.error('begins slowly: ' + process.pid)
        await sleep(1000)
      }
      return await diskDriver({ root: 'data' })
    }`
  await writeFile(join(folder, 'slow.mjs'), module)
  return await start({ driver: join(folder, 'slow.mjs') })
}

/** Each over a connection of its own, so that the workers take turns. */
async function workersThatAnswer(running: BinProcess, hub: string): Promise<Set<unknown>> {
  const before = running.log().length
  for (let i = 0; i < 8; i++)
    await (await fetch(`${hub}hub_info`, { headers: { connection: 'close' } })).text()
  await sleep(400)
  const lines = running.log().slice(before)
  return new Set(lines.filter(({ msg }) => msg === 'request').map(({ worker }) => worker))
}

describe('a hub and reader by two workers', () => {
  afterEach(endBins)

  it('share the ports and the work, tell one summary, and one page of metrics', async () => {
    const running = await start()
    const hub = addressIn(running, 'write at')
    expect(running.stderr()).to.include('2 processes')
    expect(running.stderr().match(/write at/g)).to.have.lengthOf(1)
    expect(await workersThatAnswer(running, hub)).to.deep.equal(new Set([1, 2]))
    const samples = await metricsOf(running)
    expect(sumOf(samples, 'mandate_http_requests_total', { route: 'hub_info' })).to.equal(8)
    expect(sumOf(samples, 'mandate_workers', {})).to.equal(2)
    expect((await store(hub, 'a', 'hello')).status).to.equal(202)
    const read = await fetch(`${addressIn(running, 'read at')}${alice}/a`, {
      headers: { connection: 'close' },
    })
    expect(await read.text()).to.equal('hello')
  })

  it('have another take the place of one that was killed, while the other one serves', async () => {
    const running = await start()
    const hub = addressIn(running, 'write at')
    await workersThatAnswer(running, hub)
    await metricsOf(running)
    const pids = await startedPids(running)
    process.kill(pids[0] ?? 0, 'SIGKILL')
    await running.until('another takes its place')
    expect((await fetch(`${hub}hub_info`)).status).to.equal(200)
    const again = () => pidsOf(running).filter((pid) => !pids.includes(pid))
    for (let i = 0; i < 200 && again().length === 0; i++) await sleep(25)
    expect(again()).to.have.lengthOf(1)
    expect((await store(hub, 'a', 'hello')).status).to.equal(202)
    const samples = await metricsOf(running)
    expect(sumOf(samples, 'mandate_worker_restarts_total', {})).to.equal(1)
    // What the one that is gone had told stays counted: a counter never goes down.
    expect(sumOf(samples, 'mandate_http_requests_total', { route: 'hub_info' })).to.be.at.least(8)
  })

  it('count what one did that dies while it is asked once, then and later', async () => {
    const running = await start()
    await workersThatAnswer(running, addressIn(running, 'write at'))
    const counted = async () =>
      sumOf(await metricsOf(running), 'mandate_http_requests_total', { route: 'hub_info' })
    expect(await counted()).to.equal(8)
    const [pid = 0] = await startedPids(running)
    process.kill(pid, 'SIGSTOP')
    const during = counted()
    await sleep(200)
    process.kill(pid, 'SIGKILL')
    expect(await during).to.equal(8)
    await running.until('another takes its place')
    expect(await counted()).to.equal(8)
  })

  it('count what one did that ended in order before anybody asked', async () => {
    const running = await start()
    const hub = addressIn(running, 'write at')
    expect(await workersThatAnswer(running, hub)).to.deep.equal(new Set([1, 2]))
    process.kill((await startedPids(running))[0] ?? 0, 'SIGTERM')
    await running.until('another takes its place')
    expect(sumOf(await metricsOf(running), 'mandate_http_requests_total', { route: 'hub_info' })).to.equal(8)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`finish an upload under way at ${signal} and end with status 0, none left behind`, async () => {
      const running = await start()
      const upload = await beginUpload(addressIn(running, 'write at'), 'a', 10)
      upload.write('01234')
      const pids = await startedPids(running)
      // As a terminal does: to all of them.
      for (const pid of [running.child.pid ?? 0, ...pids]) process.kill(pid, signal)
      await running.until('"stopping"')
      upload.write('56789')
      upload.end()
      expect([await upload.status, await running.exit()]).to.deep.equal([202, 0])
      expect(pids.filter(isThere)).to.deep.equal([])
    })
  }

  it('finish what is under way when the primary is killed, and end', async () => {
    const running = await start()
    const upload = await beginUpload(addressIn(running, 'write at'), 'a', 10)
    upload.write('01234')
    const pids = await startedPids(running)
    running.child.kill('SIGKILL')
    await sleep(100)
    upload.write('56789')
    upload.end()
    expect(await upload.status).to.equal(202)
    await running.exit()
    for (let i = 0; i < 100 && pids.some(isThere); i++) await sleep(50)
    expect(pids.filter(isThere)).to.deep.equal([])
  })

  for (const [signal, status] of [
    ['SIGTERM', 0],
    ['SIGKILL', null],
  ] as const) {
    it(`leave none behind that was about to take another's place when the primary got ${signal}`, async () => {
      const running = await startSlow()
      const pids = await startedPids(running)
      await writeFile(join(running.folder, 'slow'), '')
      process.kill(pids[0] ?? 0, 'SIGKILL')
      await running.until('begins slowly')
      const begun = Number(/begins slowly: ([0-9]+)/.exec(running.stderr())?.[1])
      running.child.kill(signal)
      expect(await running.exit()).to.equal(status)
      for (let i = 0; i < 100 && [begun, ...pids].some(isThere); i++) await sleep(50)
      expect([begun, ...pids].filter(isThere)).to.deep.equal([])
      expect(running.stdout()).not.to.include('could not be started anew')
    })
  }

  it('do not start where one could not, and say why once', async () => {
    const failed = await startBin('mandate-serve', { args: [...args, '--data', '/dev/null/below-a-file'] })
    expect(await failed.exit()).to.equal(1)
    expect(failed.stderr().match(/cannot be used/g), failed.stderr()).to.have.lengthOf(1)
  })
})

describe('workers', () => {
  it('are refused over the memory driver: each would have files of its own', () => {
    const { message } = refusal({ file: { driver: 'memory', workers: 2 } })
    expect(message).to.match(/workers = 2 .*memory/)
    expect(refusal({ file: { driver: 'memory' }, flags: { '--workers': 'auto' } }).message).to.include(
      'memory',
    )
  })

  for (const workers of ['0', '1.5', 'many', '513']) {
    it(`cannot be ${workers}`, () => {
      expect(refusal({ flags: { '--workers': workers } }).message).to.include(
        'an integer from 1 to 512, or "auto"',
      )
    })
  }

  it('that end again and again are started less and less often, others at once', () => {
    const backOff = new BackOff()
    const waits = Array.from({ length: 9 }, () => backOff.next(100))
    expect(waits).to.deep.equal([0, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect(backOff.next(60_000)).to.equal(0)
  })
})

/** The processes that the log tells of; the latest of each number. */
function pidsOf(running: BinProcess): number[] {
  const serving = running.log().filter(({ msg }) => msg === 'a worker serves')
  return [...new Map(serving.map(({ number, pid }) => [number, Number(pid)])).values()]
}

/** The log is written with a delay of up to 200 ms. */
async function startedPids(running: BinProcess, count = 2): Promise<number[]> {
  for (let i = 0; i < 100 && pidsOf(running).length < count; i++) await sleep(20)
  return pidsOf(running)
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
