import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { runCli } from '../../client/cli/index.ts'
import { loadConfig } from '../../deploy/process/config/load.ts'
import { copyCommand } from '../../deploy/process/copy/command.ts'
import { openDriver } from '../../deploy/process/open-driver.ts'
import type { Driver } from '../../drivers/driver.ts'

export interface Ran {
  status: number
  stdout: string
  stderr: string
  /** With `--json`, the objects on standard output. */
  lines: Record<string, unknown>[]
}

/** `mandate copy` in this process, as from a folder of its own. */
export async function mandateCopy(
  folder: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([textOf(stdout), textOf(stderr)])
  const options = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env,
    homeFolder: folder,
    workingFolder: folder,
    version: '0',
    extraCommands: [copyCommand],
  }
  const status = await runCli(options, ['copy', ...args])
  stdout.end()
  stderr.end()
  const [out, err] = await texts
  const lines = args.includes('--json') ? out.trim().split('\n').filter(Boolean) : []
  return {
    status,
    stdout: out,
    stderr: err,
    lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

async function textOf(stream: PassThrough): Promise<string> {
  return Buffer.concat(await stream.toArray()).toString()
}

/** Writes a configuration file; its path. */
export async function configFile(folder: string, name: string, config: unknown): Promise<string> {
  const path = join(folder, `${name}.json`)
  await writeFile(path, JSON.stringify(config))
  return path
}

/** Works on the storage of a configuration and closes it. */
export async function within<T>(
  config: unknown,
  folder: string,
  work: (driver: Driver) => Promise<T>,
): Promise<T> {
  const text = JSON.stringify(config)
  const loaded = loadConfig({ text, format: 'json', env: {}, flags: new Map(), kind: 'hub' })
  const driver = await openDriver(loaded.config, { folder })
  try {
    return await work(driver)
  } finally {
    await driver.close()
  }
}
