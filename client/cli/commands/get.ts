import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import type { Connection } from '../../connect.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, type RemotePath, readRemotePath } from '../remote-path.ts'
import { openConnection, openReading } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'
import { commitNew, commitOver, stampOf } from '../transfers/commit.ts'
import { downloadFile, removeParts } from '../transfers/download.ts'
import { placeBelow } from '../transfers/local-path.ts'
import { readParallel, transferMany } from '../transfers/many.ts'
import { isHistory } from './ls.ts'

interface GetOptions extends HubOptions {
  recursive?: boolean
  force?: boolean
  skip?: boolean
  parallel: number
}

/** One file to be fetched. */
interface Download {
  /** In the bucket. */
  readonly path: string
  readonly size: number
  readonly etag: string
  /** Below the folder that everything goes to. */
  readonly below: string
}

export function getCommand(context: CliContext): Command {
  return defineCommand('get', {
    summary: 'Fetch files and folders',
    details:
      'A file appears under its name only when it is whole; a transfer that was cut goes on when it is run again. Anybody may read what is stored; only a folder needs a key, to list it.',
    usesHub: true,
    examples: [
      ['mandate get photos/cat.jpg', 'into this folder'],
      ['mandate get photos/cat.jpg tom.jpg', 'under another name'],
      ['mandate get -r photos/ backup/', 'a folder, into backup/photos'],
      ['mandate get -r --skip photos/ backup/', 'goes on where the last run ended'],
    ],
  })
    .argument('<path>', 'what to fetch: [owner:]path')
    .argument('[target]', 'file or folder to put it in (default: this folder)')
    .option('-r, --recursive', 'everything below a path that ends in a slash')
    .option('-f, --force', 'replace files that are there')
    .option('--skip', 'leave out files that are there')
    .option('--parallel <count>', 'transfers at a time', readParallel, 4)
    .action(async (text: string, target: string | undefined, options: GetOptions) => {
      const source = await readRemotePath(context, text)
      if (isFolderPath(source)) await getFolder(context, source, target ?? '.', options)
      else await getFile(context, source, target ?? '.', options)
    })
}

async function getFile(
  context: CliContext,
  source: RemotePath,
  target: string,
  options: GetOptions,
): Promise<void> {
  const connection = await openReading(context, options, source.address)
  const info = await connection.head(source.path, { signal: context.signal })
  if (info === null) throw noSuchFile(source)
  const isInto = target.endsWith('/') || (await isFolder(context.pathOf(target)))
  const folder = isInto ? context.pathOf(target) : context.pathOf(join(target, '..'))
  const below = isInto ? basename(source.path) : basename(context.pathOf(target))
  const download = { path: source.path, size: info.size, etag: info.etag, below }
  await fetchAll(context, connection, folder, [download], options)
  await removeParts(join(folder, below))
}

async function getFolder(
  context: CliContext,
  source: RemotePath,
  target: string,
  options: GetOptions,
): Promise<void> {
  if (options.recursive !== true) {
    throw new CliError('usage', `${source.text} is a folder`, {
      hint: 'To fetch all that is below it, add -r.',
    })
  }
  const connection = await openConnection(context, options, source.address)
  const folder = context.pathOf(target)
  const name = basename(source.path)
  const into = target.endsWith('/') || (await isFolder(folder)) ? join(folder, name) : folder
  const downloads: Download[] = []
  for await (const { path, size, etag } of connection.list({
    prefix: source.path,
    stat: true,
    signal: context.signal,
  })) {
    if (!isHistory(path)) downloads.push({ path, size, etag, below: path.slice(source.path.length) })
  }
  if (downloads.length === 0) throw new CliError('not-found', `nothing is stored below ${source.text}`)
  await fetchAll(context, connection, into, downloads, options)
}

function fetchAll(
  context: CliContext,
  connection: Connection,
  folder: string,
  downloads: readonly Download[],
  options: GetOptions,
): Promise<void> {
  return transferMany(context, {
    label: 'get',
    items: downloads,
    totalBytes: downloads.reduce((sum, { size }) => sum + size, 0),
    width: options.parallel,
    nameOf: ({ path }) => path,
    async transfer({ path, etag, size, below }, { onBytes, print }) {
      const file = await placeBelow(folder, below)
      if (options.force !== true && (await stampOf(file)) !== null) {
        if (options.skip === true) return
        throw thereAlready(file)
      }
      const done = await downloadFile(connection, {
        path,
        file,
        known: { etag, size },
        signal: context.signal,
        onBytes,
      })
      await (options.force === true ? commitOver(done.temporary, file) : commitNew(done.temporary, file))
      const line = `${printable(file)} (${formatBytes(done.size)})`
      print(() => context.out.result({ path, file, etag: done.etag, size: done.size }, line))
    },
  })
}

function isFolder(name: string): Promise<boolean> {
  return stat(name).then(
    (info) => info.isDirectory(),
    () => false,
  )
}

function thereAlready(file: string): CliError {
  return new CliError('conflict', `${file} is there already; it was left as it is`, {
    hint: 'To replace it: --force. To leave out what is there: --skip.',
  })
}

export function noSuchFile({ text, path }: RemotePath): CliError {
  return new CliError('not-found', `there is no file ${text}`, {
    hint: `If it is a folder, its path ends in a slash: ${path}/`,
  })
}
