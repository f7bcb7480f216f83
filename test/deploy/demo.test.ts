import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { pino } from 'pino'
import { playMainJob } from '../../deploy/process/demo/play.ts'
import { makeTalk } from '../../deploy/process/demo/talk.ts'
import { startServers } from '../../deploy/process/start.ts'
import { endBins, runBin } from './bins.ts'
import { configure } from './configure.ts'

describe('the demo', () => {
  afterEach(endBins)

  it('plays the main job, shows the refusals, and leaves nothing behind', async () => {
    const { status, stdout, stderr } = await runBin('demo', { env: { GAIA_PORT: 'not looked at' } })
    expect([status, stderr], stdout).to.deep.equal([0, ''])
    const statuses = [...stdout.matchAll(/<- (\d{3})/g)].map(([, code]) => Number(code))
    expect(statuses).to.deep.equal([200, 202, 200, 202, 202, 200, 412, 200, 202, 404, 202])
    expect(stdout).to.match(/every step did what it says/)
    const folder = /files in (.*)$/m.exec(stdout)?.[1] ?? ''
    expect(folder).to.include('mandate-demo-')
    expect(existsSync(folder)).to.equal(false)
    expect(stdout).not.to.match(/v1:[\w-]{20}/)
  })

  it('fails at the step that does not do what it says', async () => {
    const flags = { '--driver': 'memory', '--host': '127.0.0.1', '--port': '0', '--reader-port': '0' }
    const { config } = configure({ file: { whitelist: [] }, flags })
    const running = await startServers(config, 'both', pino({ level: 'silent' }))
    const lines: string[] = []
    const failure = await playMainJob(
      makeTalk((line) => lines.push(line)),
      running.hub?.url ?? '',
    ).then(
      () => null,
      (error: unknown) => error,
    )
    await running.close()
    expect(failure).to.have.property('message', 'expected status 202, got 401')
    expect(lines.join('\n')).to.match(/3\. Store a file[\s\S]*<- 401/)
  })
})
