import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, stat, unlink, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'

/**
 * The folder of Gaia's disk driver as Gaia itself treats it (hub/src/server/drivers/diskDriver.ts of Gaia 2.8): data
 * at `<root>/<address>/<path>`, beside it `.gaia-metadata/<address>/<path>` with its type and, in later versions, the
 * MD5 of its bytes as etag. A file without its metadata is one that Gaia can neither stat nor read nor delete.
 */
export class GaiaDisk {
  readonly root: string

  constructor(root: string) {
    this.root = root
  }

  /** @param former whether it is a version of Gaia that kept no etags */
  async write(top: string, path: string, body: string, contentType: string, former = false): Promise<void> {
    const etag = former ? {} : { etag: md5(body) }
    await writeText(this.#data(top, path), body)
    await writeText(this.#metadata(top, path), JSON.stringify({ 'content-type': contentType, ...etag }))
    // Written long ago, as far as the file tells.
    await utimes(this.#data(top, path), writtenSeconds, writtenSeconds)
  }

  /** @throws where Gaia could not read it */
  async read(top: string, path: string): Promise<{ body: string; contentType: string; etag: string }> {
    const file = await stat(this.#data(top, path))
    if (!file.isFile()) throw new Error(`${path} is no file`)
    const metadata = JSON.parse(await readFile(this.#metadata(top, path), 'utf8')) as Record<string, string>
    const { 'content-type': contentType, etag } = metadata
    if (contentType === undefined || etag === undefined) throw new Error(`${path} has no type or no etag`)
    return { body: await readFile(this.#data(top, path), 'utf8'), contentType, etag }
  }

  async list(top: string): Promise<string[]> {
    const folder = join(this.root, top)
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
      .sort()
  }

  /** @throws where Gaia could not delete it */
  async delete(top: string, path: string): Promise<void> {
    await unlink(this.#data(top, path))
    await unlink(this.#metadata(top, path))
  }

  #data(top: string, path: string): string {
    return join(this.root, top, path)
  }

  #metadata(top: string, path: string): string {
    return join(this.root, '.gaia-metadata', top, path)
  }
}

/** Of the files that Gaia has written: years ago. */
export const writtenSeconds = 1_590_000_000

export function md5(body: string): string {
  return createHash('md5').update(body).digest('hex')
}

/** In place, and for its own user only, as Gaia writes. */
async function writeText(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text, { mode: 0o600 })
}
