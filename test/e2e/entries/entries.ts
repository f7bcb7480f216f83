import { addressIn, endBins, startBin } from '../../deploy/bins.ts'
import { serverName } from '../../hub/tokens.ts'
import { type Cloud, runFunction } from './run.ts'
import { storages } from './storages.ts'

/** Hub and reader, however they run; without a slash at the end. */
export interface Running {
  hub: string
  reader: string
  end(): Promise<void>
}

export interface Entry {
  name: string
  /** Resolves `.` and `..` itself, before the hub is asked. */
  resolvesDots?: true
  start(): Promise<Running>
}

/** The largest file, in megabytes: less than any platform takes. */
export const maxMegabytes = 1

export const entries: readonly Entry[] = [
  { name: 'one process', start: () => startProcess([]) },
  { name: 'two workers', start: () => startProcess(['--workers', '2']) },
  { name: 'AWS Lambda', start: () => startCloud('aws-lambda') },
  { name: 'Google Cloud Functions', start: () => startCloud('google-cloud') },
  { name: 'Azure Functions', resolvesDots: true, start: () => startCloud('azure') },
]

async function startProcess(workers: string[]): Promise<Running> {
  const args = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0', ...workers]
  const file = { serverName, maxFileUploadSize: maxMegabytes, logLevel: 'warn', metrics: { enabled: false } }
  const running = await startBin('mandate-serve', { args, file })
  await running.until('stop ')
  const place = (label: 'write at' | 'read at') => addressIn(running, label).slice(0, -1)
  return { hub: place('write at'), reader: place('read at'), end: endBins }
}

async function startCloud(cloud: Cloud): Promise<Running> {
  const storage = await storages[cloud]()
  const own = {
    ...storage.env,
    GAIA_SERVER_NAME: serverName,
    MANDATE_MAX_FILE_UPLOAD_SIZE: String(maxMegabytes),
    MANDATE_LOG_LEVEL: 'warn',
  }
  // The hub tells clients where the reader is.
  const reader = await runFunction(cloud, 'reader', own)
  const hub = await runFunction(cloud, 'hub', { ...own, GAIA_READ_URL: reader.url })
  return {
    hub: hub.url,
    reader: reader.url,
    async end() {
      await Promise.all([hub.end(), reader.end()])
      await storage.end()
    },
  }
}
