import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Command } from 'commander'
import { PreconditionFailedError } from '../../errors.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import type { In } from '../io.ts'
import { isFolderPath, type RemotePath, readRemotePath } from '../remote-path.ts'
import {
  type Stored,
  type StoreOptions,
  type Storing,
  type StoringOptions,
  storingFor,
} from '../sealed/storing.ts'
import { addKeyOptions, addSealerOptions, collect } from '../sealed/trust-options.ts'
import { openConnection } from '../session.ts'
import { startProgress } from '../terminal/progress.ts'
import { printable } from '../terminal/style.ts'
import { formatBytes } from '../terminal/units.ts'
import { contentTypeOf } from '../transfers/content-type.ts'
import { readParallel, transferMany } from '../transfers/many.ts'
import { uploadFile } from '../transfers/upload.ts'
import { walkFolder } from '../transfers/walk.ts'

interface PutCommandOptions extends StoringOptions {
  recursive?: boolean
  force?: boolean
  ifMatch?: string
  keepHistory?: boolean
  contentType?: string
  parallel: number
}

/** One file to be stored. */
interface Upload {
  readonly file: string
  readonly path: string
  readonly size: number
}

export function putCommand(context: CliContext): Command {
  const command = defineCommand('put', {
    summary: 'Store files, folders or standard input',
    details:
      'The last argument says where to, as with cp; with one argument alone, your own bucket. A target that ends in a slash is a folder. Nothing that is there already is replaced unless you say so.',
    usesHub: true,
    examples: [
      ['mandate put cat.jpg', 'at cat.jpg of your own'],
      ['mandate put cat.jpg dog.jpg photos/', 'below photos/'],
      ['mandate put -r holiday photos/', 'a folder, below photos/holiday/'],
      ['mandate put report.pdf alice:inbox/ --as bob', "at somebody else's, by a delegation"],
      ['pg_dump shop | mandate put - backups/shop.sql', 'standard input'],
      ['mandate put notes.txt --force --keep-history', 'replaces, and keeps the former version'],
      [
        'mandate put plan.pdf plans/ --seal-for bob --seal-for did:key:z6Mk…',
        'sealed: only they and you can read it',
      ],
      ['mandate put report.pdf alice:inbox/ --as bob --seal-for alice', 'what the sender cannot read again'],
    ],
  })
  command
    .argument('<paths...>', 'what to store (- for standard input), then where to: [owner:]path')
    .option('-r, --recursive', 'folders with all that is below them; links are left out')
    .option('-f, --force', 'replace what is there, whatever it is')
    .option('--if-match <etag>', 'replace this version only')
    .option('--keep-history', 'keep the version that is replaced; see history')
    .option('--content-type <type>', 'media type (default: by the name)')
    .option(
      '--seal-for <who>',
      'seal: only these can read it, and you at your own address; keys on this machine, DIDs, addresses, groups, or "same" for those of the version that is replaced; may stand several times',
      collect,
    )
    .option('--plain', 'store for all to read, even over a sealed file')
  return addSealerOptions(addKeyOptions(command))
    .option('--parallel <count>', 'transfers at a time', readParallel, 4)
    .action(async (paths: string[], options: PutCommandOptions) => {
      const sources = paths.length === 1 ? paths : paths.slice(0, -1)
      const target = await readRemotePath(context, paths.length === 1 ? '' : (paths.at(-1) ?? ''))
      if (options.ifMatch !== undefined && options.force === true) {
        throw new CliError('usage', '--force and --if-match contradict each other')
      }
      if (options.sealFor?.includes('same') && options.force !== true && options.ifMatch === undefined) {
        throw new CliError('usage', '--seal-for same replaces a file: add --force or --if-match')
      }
      if (sources.includes('-')) return putStdin(context, sources, target, options)
      const uploads = await plan(context, sources, target, options)
      const connection = await openConnection(context, options, target.address)
      await putFiles(context, await storingFor(context, options, connection), uploads, options)
    })
}

async function putStdin(
  context: CliContext,
  sources: readonly string[],
  target: RemotePath,
  options: PutCommandOptions,
): Promise<void> {
  if (sources.length > 1) throw new CliError('usage', 'standard input is stored by itself, not among files')
  if (isFolderPath(target)) throw new CliError('usage', 'standard input needs the full path to store it at')
  const connection = await openConnection(context, options, target.address)
  const storing = await storingFor(context, options, connection)
  const progress = startProgress(context, { label: 'put', totalBytes: null, totalFiles: 1 })
  let size = 0
  const count = (bytes: number) => {
    size += bytes
    progress.set(target.path, size)
  }
  try {
    const result = await storing
      .put(target.path, counted(context.io.stdin, count), {
        contentType: contentTypeOf(target.path),
        ...putOptions(context, options),
      })
      .catch((error: unknown) => {
        throw explain(error)
      })
    progress.around(() => tell(context, result, size))
  } finally {
    progress.stop()
  }
}

async function* counted(stdin: In, count: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  for await (const chunk of stdin as AsyncIterable<Uint8Array>) {
    count(chunk.length)
    yield chunk
  }
}

/** What goes where. Nothing is sent before all of it is known. */
async function plan(
  context: CliContext,
  sources: readonly string[],
  target: RemotePath,
  options: PutCommandOptions,
): Promise<Upload[]> {
  const isFolder = isFolderPath(target)
  if (sources.length > 1 && !isFolder) {
    throw new CliError('usage', `several files need a folder to go to: end ${target.text} in a slash`)
  }
  const uploads: Upload[] = []
  for (const source of sources) {
    const local = context.pathOf(source)
    const info = await stat(local)
    const path = isFolder ? target.path + basename(local) : target.path
    if (info.isDirectory()) uploads.push(...(await planFolder(context, source, path, options)))
    else if (info.isFile()) uploads.push({ file: local, path, size: info.size })
    else throw new CliError('usage', `${source} is neither a file nor a folder`)
  }
  return uploads
}

async function planFolder(
  context: CliContext,
  source: string,
  path: string,
  options: PutCommandOptions,
): Promise<Upload[]> {
  if (options.recursive !== true) {
    throw new CliError('usage', `${source} is a folder`, { hint: 'To store all that is below it, add -r.' })
  }
  const uploads: Upload[] = []
  const onSkip = (skipped: string, why: string) =>
    context.out.warn(`${join(source, skipped)} is ${why}; left out`)
  for await (const found of walkFolder(context.pathOf(source), { onSkip })) {
    uploads.push({ file: found.file, path: `${path}/${found.path}`, size: (await stat(found.file)).size })
  }
  return uploads
}

function putFiles(
  context: CliContext,
  storing: Storing,
  uploads: readonly Upload[],
  options: PutCommandOptions,
): Promise<void> {
  return transferMany(context, {
    label: 'put',
    items: uploads,
    totalBytes: uploads.reduce((sum, { size }) => sum + size, 0),
    width: options.parallel,
    nameOf: ({ path }) => path,
    async transfer({ file, path }, { onBytes, print }) {
      const put = putOptions(context, options)
      const result = await uploadFile(storing, { file, path, put, onBytes }).catch((error: unknown) => {
        throw explain(error)
      })
      if (result.changedMeanwhile) context.out.warn(`${file} was changed while it was read; store it again`)
      print(() => tell(context, result, result.size))
    },
  })
}

function putOptions({ signal }: CliContext, options: PutCommandOptions): StoreOptions {
  const { force, ifMatch, keepHistory, contentType } = options
  return {
    signal,
    ...(force === true ? { overwrite: true } : {}),
    ...(ifMatch === undefined ? {} : { ifMatch }),
    ...(keepHistory === true ? { keepHistory: true } : {}),
    ...(contentType === undefined ? {} : { contentType }),
  }
}

function tell({ out }: CliContext, { path, etag, publicUrl, recipients }: Stored, size: number): void {
  const sealed = recipients === undefined ? {} : { recipients }
  const forHowMany = recipients === undefined ? '' : `, sealed for ${recipients.length}`
  out.result(
    { path, etag, size, url: publicUrl, ...sealed },
    `${printable(publicUrl)} (${formatBytes(size)}${forHowMany})`,
  )
}

/** What to do about a version that is there already, in terms of this command. */
function explain(error: unknown): unknown {
  if (!(error instanceof PreconditionFailedError)) return error
  const { etag } = error
  return new CliError('conflict', 'another version is there already; nothing was stored', {
    cause: error,
    details: etag === null ? {} : { etag },
    hint: `To replace it: --force, with --keep-history to keep it too${etag === null ? '' : `; to replace just what is there now: --if-match ${etag.replaceAll('"', '')}`}.`,
  })
}
