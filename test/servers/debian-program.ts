import { execFile } from 'node:child_process'
import { access } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

// The script lies in the source tree; this module runs from a build folder beside it.
const script = fileURLToPath(new URL('../../../test/servers/debian.sh', import.meta.url))

/**
 * Where a program of Debian's is: on the PATH, else unpacked from its package into a folder of our own. Nothing is
 * installed, so no service starts.
 * @throws with the reason where it cannot be had
 */
export async function debianProgram(name: string, packageName = name): Promise<string> {
  const unpacked = join(tmpdir(), `mandate-debian-${userInfo().uid}`, packageName)
  const ours = join(unpacked, 'programs', name)
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  for (const file of [...places.map((place) => join(place, name)), ours]) if (await isThere(file)) return file
  await run(script, ['unpack', packageName, unpacked]).catch((cause: Error & { stderr?: string }) => {
    throw new Error(`${name} is not installed, and cannot be had: ${cause.stderr ?? ''}`, { cause })
  })
  if (await isThere(ours)) return ours
  throw new Error(`the package ${packageName} holds no program ${name}`)
}

/** Fetches a program before the tests of the suite around the call, none of which has the time for that. */
export function suiteNeedsProgram(name: string, packageName = name): void {
  before(async function () {
    this.timeout(120_000)
    await debianProgram(name, packageName)
  })
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
