import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { withLock } from '../files/lock.ts'
import { writePrivateFile } from '../files/private-file.ts'

/** The groups whose keys are tried, `gaia://<address>/<path>`, where none of one's own opens a file. */
export async function readGroups({ folder }: CliContext): Promise<readonly string[]> {
  const file = fileOf(folder)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '[]'
    throw error
  })
  const groups = parse(text)
  if (groups === null)
    throw new CliError('failed', `the groups in ${file} are damaged; mend or remove that file`)
  return groups
}

/** One run at a time. */
export async function changeGroups(
  context: CliContext,
  change: (groups: readonly string[]) => readonly string[],
): Promise<void> {
  const file = fileOf(context.folder)
  await withLock(`${file}.lock`, async () => {
    const text = JSON.stringify(change(await readGroups(context)), null, 2)
    await writePrivateFile(file, `${text}\n`, 'replace')
  })
}

function fileOf(folder: string): string {
  return join(folder, 'groups.json')
}

function parse(text: string): string[] | null {
  try {
    const groups: unknown = JSON.parse(text)
    return Array.isArray(groups) && groups.every((one) => typeof one === 'string') ? groups : null
  } catch {
    return null
  }
}
