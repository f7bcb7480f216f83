import type { Command } from 'commander'
import type { Connection } from '../../connect.ts'
import { SealError } from '../../seal/errors.ts'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { sealedOver } from '../sealed/open-sealed.ts'
import { openConnection } from '../session.ts'
import { confirm } from '../terminal/ask.ts'
import { printable } from '../terminal/style.ts'
import { readParallel, transferMany } from '../transfers/many.ts'
import { isHistory } from './ls.ts'

interface RmOptions extends HubOptions {
  recursive?: boolean
  ifMatch?: string
  keepHistory?: boolean
  dryRun?: boolean
  yes?: boolean
  parallel: number
}

export function rmCommand(context: CliContext): Command {
  return defineCommand('rm', {
    summary: 'Delete files',
    usesHub: true,
    examples: [
      ['mandate rm notes/old.txt', 'one file'],
      ['mandate rm notes/old.txt --keep-history', 'can be restored'],
      ['mandate rm -r --dry-run photos/2019/', 'shows what would go'],
    ],
  })
    .argument('<paths...>', 'what to delete: [owner:]path')
    .option('-r, --recursive', 'everything below a path that ends in a slash, former versions among it')
    .option('--if-match <etag>', 'delete this version only')
    .option('--keep-history', 'keep the version that goes; see history')
    .option('-n, --dry-run', 'tell what would be deleted, and delete nothing')
    .option('-y, --yes', 'do not ask before a folder goes')
    .option('--parallel <count>', 'deletions at a time', readParallel, 4)
    .action(async (texts: string[], options: RmOptions) => {
      for (const text of texts) await remove(context, text, options)
    })
}

async function remove(context: CliContext, text: string, options: RmOptions): Promise<void> {
  const target = await readRemotePath(context, text)
  const connection = await openConnection(context, options, target.address)
  const paths = isFolderPath(target)
    ? await pathsBelow(context, connection, target.path, text, options)
    : [target.path]
  if (options.dryRun === true) {
    for (const path of paths) context.out.result({ path, deleted: false }, `would delete ${printable(path)}`)
    return
  }
  await transferMany(context, {
    label: 'rm',
    items: paths,
    totalBytes: 0,
    width: options.parallel,
    nameOf: (path) => path,
    transfer: async (path, { print }) => {
      const isDeleted = await removeOne(context, connection, path, options)
      if (!isDeleted) throw new CliError('not-found', `there is no file ${path}`)
      print(() => context.out.result({ path, deleted: true }, `deleted ${printable(path)}`))
    },
  })
}

/** The content of a sealed file goes with it, unless it is kept as history. */
async function removeOne(
  context: CliContext,
  connection: Connection,
  path: string,
  options: RmOptions,
): Promise<boolean> {
  const settings = deleteOptions(context, options)
  if (options.recursive === true || options.keepHistory === true) return connection.delete(path, settings)
  const there = await connection.head(path, { signal: context.signal })
  if (there?.contentType !== sealedType) return connection.delete(path, settings)
  const wanted = options.ifMatch?.replaceAll('"', '')
  if (wanted !== undefined && wanted !== there.etag.replaceAll('"', '')) {
    throw new CliError('conflict', `${path} is another version`, { details: { etag: there.etag } })
  }
  const { files } = await sealedOver(context, options, connection)
  return files.delete(path, { signal: context.signal }).catch((error: unknown) => {
    if (!(error instanceof SealError)) throw error
    // An envelope that nobody can read tells of no content; that is left for "sweep".
    return connection.delete(path, { ...settings, ifMatch: there.etag })
  })
}

/** @throws {CliError} where nothing is there, or nobody agrees */
async function pathsBelow(
  context: CliContext,
  connection: Connection,
  prefix: string,
  text: string,
  options: RmOptions,
): Promise<string[]> {
  if (options.recursive !== true) {
    throw new CliError('usage', `${text} is a folder`, { hint: 'To delete all that is below it, add -r.' })
  }
  const paths: string[] = []
  for await (const path of connection.list({ prefix, signal: context.signal })) {
    // Deleting a former version while keeping history would only make another one.
    if (options.keepHistory !== true || !isHistory(path)) paths.push(path)
  }
  if (paths.length === 0) throw new CliError('not-found', `nothing is stored below ${text}`)
  const count = paths.length === 1 ? 'one file' : `${paths.length} files`
  if (options.dryRun !== true) await confirm(context, `Delete ${count} below ${text}?`, options.yes ?? false)
  return paths
}

function deleteOptions({ signal }: CliContext, { ifMatch, keepHistory }: RmOptions) {
  return {
    signal,
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(keepHistory === true ? { keepHistory } : {}),
  }
}
