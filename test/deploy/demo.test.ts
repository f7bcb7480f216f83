import { existsSync } from 'node:fs'
import { expect } from 'chai'
import { pino } from 'pino'
import { playMainJob } from '../../deploy/process/demo/play.ts'
import { playDelegation } from '../../deploy/process/demo/play-delegation.ts'
import { makeTalk, type Talk } from '../../deploy/process/demo/talk.ts'
import { startServers } from '../../deploy/process/start.ts'
import { endBins, runBin } from './bins.ts'
import { configure } from './configure.ts'

describe('the demo', () => {
  afterEach(endBins)

  it('plays the main job and a delegation, shows the refusals, and leaves nothing behind', async () => {
    const { status, stdout, stderr } = await runBin('demo', { env: { GAIA_PORT: 'not looked at' } })
    expect([status, stderr], stdout).to.deep.equal([0, ''])
    const statuses = [...stdout.matchAll(/<- (\d{3})/g)].map(([, code]) => Number(code))
    const job = [200, 202, 200, 202, 202, 200, 412, 200, 202, 404, 202]
    const delegation = [200, 201, 202, 201, 202, 200, 403, 403, 202, 202, 401, 401, 401, 200]
    expect(statuses).to.deep.equal([...job, ...delegation])
    expect(stdout).to.match(/every step did what it says/)
    const folder = /files in (.*)$/m.exec(stdout)?.[1] ?? ''
    expect(folder).to.include('mandate-demo-')
    expect(existsSync(folder)).to.equal(false)
    expect(stdout).not.to.match(/(v1:|ucan:|ucan":")[\w-]{20}/)
  })

  it('fails at the step that does not do what it says', async () => {
    const { failure, printed } = await playWhereNobodyMayWrite(playMainJob)
    expect(failure).to.have.property('message', 'expected status 202, got 401')
    expect(printed).to.match(/3\. Store a file[\s\S]*<- 401/)
  })

  it('fails at the step of the delegation that does not do what it says', async () => {
    const { failure, printed } = await playWhereNobodyMayWrite(playDelegation)
    expect(failure).to.have.property('message', 'expected status 201, got 401')
    expect(printed).to.match(/2\. Alice grants Bob[\s\S]*<- 401/)
  })
})

async function playWhereNobodyMayWrite(play: (talk: Talk, hubUrl: string) => Promise<void>) {
  const flags = { '--driver': 'memory', '--host': '127.0.0.1', '--port': '0', '--reader-port': '0' }
  const { config } = configure({ file: { whitelist: [] }, flags })
  const running = await startServers({ config, kind: 'both', logger: pino({ level: 'silent' }) })
  const lines: string[] = []
  const talk = makeTalk((line) => lines.push(line))
  const failure = await play(talk, running.hub?.url ?? '').then(
    () => null,
    (error: unknown) => error,
  )
  await running.close()
  return { failure, printed: lines.join('\n') }
}
