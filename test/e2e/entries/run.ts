import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { FunctionKind } from '../../../deploy/functions/start-function.ts'
import { artefact } from './artefacts.ts'

export type Cloud = 'aws-lambda' | 'google-cloud' | 'azure'

export interface RunningFunction {
  /** Without a slash at its end. */
  url: string
  output(): string
  end(): Promise<void>
}

/** Google's own local runtime; `bin` of its package. */
const framework = fileURLToPath(
  new URL('../../../../node_modules/@google-cloud/functions-framework/build/src/main.js', import.meta.url),
)

/** What a platform would run, as a process with nothing of our own environment. */
export async function runFunction(
  cloud: Cloud,
  kind: FunctionKind,
  env: Record<string, string>,
): Promise<RunningFunction> {
  const { folder } = await artefact(`${cloud}-${kind}`)
  const args = await commandLine(cloud, kind, folder)
  const child = spawn(process.execPath, ['--max-http-header-size=65536', ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return await whenListening(child)
}

async function commandLine(cloud: Cloud, kind: FunctionKind, folder: string): Promise<string[]> {
  const code = pathToFileURL(join(folder, 'app', 'index.mjs')).href
  const runtime = (name: string) => fileURLToPath(new URL(`${name}.js`, import.meta.url))
  switch (cloud) {
    case 'aws-lambda':
      return [runtime('lambda-runtime'), code]
    case 'azure':
      return [runtime('azure-runtime'), code, kind]
    case 'google-cloud':
      return [framework, `--source=${folder}`, `--target=${kind}`, `--port=${await freePort()}`]
  }
}

async function whenListening(child: ChildProcess): Promise<RunningFunction> {
  let output = ''
  const closed = once(child, 'close')
  const listening = new Promise<string>((resolve, reject) => {
    const read = (text: string) => {
      output += text
      const port = /^URL: http:\/\/[a-z0-9.]+:(\d+)\/$/m.exec(output)?.[1]
      if (port !== undefined) resolve(`http://127.0.0.1:${port}`)
    }
    child.stdout?.setEncoding('utf8').on('data', read)
    child.stderr?.setEncoding('utf8').on('data', read)
    closed.then(() => reject(new Error(`the function did not start:\n${output}`)), reject)
  })
  return {
    url: await listening,
    output: () => output,
    async end() {
      child.kill('SIGKILL')
      await closed
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
