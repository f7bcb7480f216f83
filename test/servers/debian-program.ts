import { execFile } from 'node:child_process'
import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Where a program of Debian's is: on the PATH, else unpacked from its package into a folder of our own. Nothing is
 * installed, so no service starts.
 * @throws with the reason where it cannot be had
 */
export async function debianProgram(name: string, packageName = name): Promise<string> {
  const places = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  const unpacked = join(tmpdir(), `mandate-programs-${userInfo().uid}`, packageName)
  for (const place of [...places, join(unpacked, 'usr/bin'), join(unpacked, 'usr/sbin')]) {
    const file = join(place, name)
    if (await isThere(file)) return file
  }
  await unpack(packageName, unpacked)
  for (const place of ['usr/bin', 'usr/sbin']) {
    if (await isThere(join(unpacked, place, name))) return join(unpacked, place, name)
  }
  throw new Error(`the package ${packageName} holds no program ${name}`)
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}

async function unpack(packageName: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const download = () => run('apt-get', ['download', '-qq', packageName], { cwd: folder })
  try {
    // A list of packages that is too old names a file that is no longer there.
    await download().catch(async () => {
      await run('apt-get', ['update', '-qq'])
      await download()
    })
    for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg', ['-x', join(folder, file), folder])
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw new Error(`${packageName} is not installed, and its package cannot be had`, { cause: error })
  }
}
