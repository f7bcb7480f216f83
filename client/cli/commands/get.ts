import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { sealedType } from '../../sealing.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, type RemotePath, readRemotePath } from '../remote-path.ts'
import { noteOpened } from '../sealed/open-sealed.ts'
import { OpeningSource } from '../sealed/opening-source.ts'
import { addSealerOptions, type TrustOptions } from '../sealed/trust-options.ts'
import { openConnection, openReading } from '../session.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'
import { commitNew, commitOver, stampOf } from '../transfers/commit.ts'
import { downloadFile, removeParts } from '../transfers/download.ts'
import { placeBelow } from '../transfers/local-path.ts'
import { readParallel, transferMany } from '../transfers/many.ts'
import { isHidden, isHistory } from './ls.ts'

interface GetOptions extends TrustOptions {
  recursive?: boolean
  force?: boolean
  skip?: boolean
  parallel: number
}

/** One file to be fetched. */
interface Download {
  /** In the bucket. */
  readonly path: string
  /** As it is stored. */
  readonly size: number
  readonly etag: string
  readonly contentType: string
  /** Below the folder that everything goes to. */
  readonly below: string
}

export function getCommand(context: CliContext): Command {
  const command = defineCommand('get', {
    summary: 'Fetch files and folders',
    details:
      'A file appears under its name only when it is whole; a transfer that was cut goes on when it is run again. Anybody may read what is stored; only a folder needs a key, to list it. What is sealed for the key that acts is opened; standard error tells whose key opened it and who sealed it.',
    usesHub: true,
    examples: [
      ['mandate get photos/cat.jpg', 'into this folder'],
      ['mandate get photos/cat.jpg tom.jpg', 'under another name'],
      ['mandate get -r photos/ backup/', 'a folder, into backup/photos'],
      ['mandate get -r --skip photos/ backup/', 'goes on where the last run ended'],
    ],
  })
  return addSealerOptions(command)
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
  const opening = new OpeningSource(context, options, connection)
  const download = { ...info, path: source.path, below }
  const totalBytes = await opening.sizeOf(info)
  await fetchAll(context, opening, folder, { downloads: [download], totalBytes }, options)
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
  let totalBytes = 0
  for await (const { path, size, etag, contentType } of connection.list({
    prefix: source.path,
    stat: true,
    signal: context.signal,
  })) {
    if (isHistory(path)) continue
    // What a sealed file is made of counts as its own.
    totalBytes += size
    const below = path.slice(source.path.length)
    if (!isHidden(path, source.path)) downloads.push({ path, size, etag, contentType, below })
  }
  if (downloads.length === 0) throw new CliError('not-found', `nothing is stored below ${source.text}`)
  const opening = new OpeningSource(context, options, connection)
  await fetchAll(context, opening, into, { downloads, totalBytes }, options)
}

function fetchAll(
  context: CliContext,
  opening: OpeningSource,
  folder: string,
  { downloads, totalBytes }: { downloads: readonly Download[]; totalBytes: number },
  options: GetOptions,
): Promise<void> {
  return transferMany(context, {
    label: 'get',
    items: downloads,
    totalBytes,
    width: options.parallel,
    nameOf: ({ path }) => path,
    async transfer({ path, etag, size: storedBytes, contentType, below }, { onBytes, print }) {
      const file = await placeBelow(folder, below)
      if (options.force !== true && (await stampOf(file)) !== null) {
        if (options.skip === true) return
        throw thereAlready(file)
      }
      const done = await downloadFile(await opening.sourceOf({ contentType, path }), {
        path,
        file,
        known: { etag, size: contentType === sealedType ? null : storedBytes },
        signal: context.signal,
        onBytes,
      })
      await (options.force === true ? commitOver(done.temporary, file) : commitNew(done.temporary, file))
      const line = `${printable(file)} (${formatBytes(done.size)})`
      const { size, sealedBy, openedBy } = done
      const sealed = sealedBy === undefined ? {} : { sealedBy, openedBy }
      print(() => context.out.result({ path, file, etag: done.etag, size, ...sealed }, line))
      await noteOpened(context, done)
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
