import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { loadConfig } from '../config/load.ts'
import { startServers } from '../start.ts'
import { playMainJob } from './play.ts'
import { playDelegation } from './play-delegation.ts'
import { makeTalk } from './talk.ts'

/**
 * Starts hub and reader on free ports over a temporary folder, plays the main job and a delegation in front of the
 * user and cleans up. Resolves with the exit status: 0 where every step did what it says, else 1.
 */
export async function runDemo(print: (line: string) => void): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'mandate-demo-'))
  try {
    await playOver(folder, print)
    print('\nThe demo is done: every step did what it says.')
    return 0
  } catch (error) {
    print(`\nThe demo failed: ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function playOver(folder: string, print: (line: string) => void): Promise<void> {
  const flags = new Map([
    ['--host', '127.0.0.1'],
    ['--port', '0'],
    ['--reader-port', '0'],
    ['--data', folder],
  ])
  // Nothing of the user's own configuration: the demo plays on a stage of its own.
  const { config } = loadConfig({ text: null, format: 'json', env: {}, flags, kind: 'both' })
  const logger = pino({ level: 'silent' })
  const running = await startServers({ config, kind: 'both', logger })
  try {
    print(`A hub at ${running.hub?.url}, a reader at ${running.readUrlPrefix}, files in ${folder}`)
    const talk = makeTalk(print)
    const hubUrl = running.hub?.url ?? ''
    await playMainJob(talk, hubUrl)
    await playDelegation(talk, hubUrl)
  } finally {
    await running.close()
  }
}
