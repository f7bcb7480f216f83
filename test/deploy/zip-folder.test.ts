import { chmod, mkdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'chai'
import { zipFolder } from '../../deploy/functions/zip-folder.ts'
import { endBins, tempFolder } from './bins.ts'

describe('the zip of a folder', () => {
  after(endBins)

  it('is the same for the same files, whenever, by whom and in whatever order they were written', async () => {
    const names = ['b.txt', 'a/c.txt', 'a.txt']
    const write = async (order: readonly string[], mode: number, time: number) => {
      const folder = await tempFolder()
      await mkdir(join(folder, 'a'))
      for (const name of order) {
        await writeFile(join(folder, name), name.repeat(100_000))
        await chmod(join(folder, name), mode)
        await utimes(join(folder, name), time, time)
      }
      const zip = join(await tempFolder(), 'zip')
      await zipFolder(folder, zip)
      return readFile(zip)
    }
    const zip = await write(names, 0o644, 1_000_000_000)
    expect(zip.equals(await write(names.toReversed(), 0o700, 2_000_000_000))).to.equal(true)
  })

  it('is refused where a file is not what it was when its size was asked for', async () => {
    // The system says of these that they are empty, and gives bytes.
    const refused = await zipFolder('/proc/sys/kernel/random', join(await tempFolder(), 'zip')).catch(String)
    expect(refused).to.include('unexpected number of bytes')
  })
})
