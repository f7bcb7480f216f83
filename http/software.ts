import { readFileSync } from 'node:fs'

/** What answers: its name and version, as package.json has them. */
export const software: { readonly name: string; readonly version: string } = readPackage()

function readPackage(): { name: string; version: string } {
  // From `build/http/` as from `http/` the package file is the nearest one above.
  const file = [new URL('../package.json', import.meta.url), new URL('../../package.json', import.meta.url)]
  for (const url of file) {
    try {
      const { name, version } = JSON.parse(readFileSync(url, 'utf8')) as { name: string; version: string }
      return { name, version }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error('package.json of mandate was not found')
}
