import { realpath, stat } from 'node:fs/promises'
import type { Command } from 'commander'
import { PreconditionFailedError } from '../../errors.ts'
import { CliError } from '../cli-error.ts'
import type { CliContext, HubOptions } from '../context.ts'
import { defineCommand } from '../define-command.ts'
import { isFolderPath, readRemotePath } from '../remote-path.ts'
import { openConnection } from '../session.ts'
import { type ApplyContext, applyStep, type Done } from '../sync/apply.ts'
import { matcherOf } from '../sync/glob.ts'
import { planStep, type Step } from '../sync/plan.ts'
import { scanLocal, scanRemote } from '../sync/scan.ts'
import { readSyncState, writeSyncState } from '../sync/state.ts'
import { printable } from '../terminal/style.ts'
import { readParallel, transferMany } from '../transfers/many.ts'

interface SyncOptions extends HubOptions {
  dryRun?: boolean
  delete?: boolean
  keepHistory?: boolean
  exclude?: string[]
  parallel: number
}

export function syncCommand(context: CliContext): Command {
  return defineCommand('sync', {
    summary: 'Bring a folder and a bucket to the same state, both ways',
    details:
      'What changed on one side since the last run goes to the other. Where both changed, the version of the bucket keeps the name, yours is kept beside it as "….conflict-<time>…" on both sides, and the command ends with status 4. Deletions are passed on with --delete only. What was there after the last run is noted in the folder, in .mandate-sync.json.',
    usesHub: true,
    examples: [
      ['mandate sync notes', 'the folder notes, and notes/ in your own bucket'],
      ['mandate sync notes --dry-run', 'tells what it would do'],
      ['mandate sync photos alice:photos/ --as bob', "a folder of somebody else's, by a delegation"],
      [
        "mandate sync site --delete --exclude '*.log' --exclude node_modules",
        'passes deletions on, and leaves some out',
      ],
    ],
  })
    .argument('<folder>', 'on this machine')
    .argument(
      '[target]',
      'folder in a bucket, with a slash at its end: [owner:]path (default: named as the folder)',
    )
    .option('-n, --dry-run', 'tell what would be done, and do nothing')
    .option('--delete', 'delete on one side what was deleted on the other')
    .option('--keep-history', 'keep the versions that are replaced or deleted in the bucket; see history')
    .option('--exclude <pattern>', 'leave out what matches (*, **, ?); may stand several times', append)
    .option('--parallel <count>', 'transfers at a time', readParallel, 4)
    .action(async (name: string, target: string | undefined, options: SyncOptions) => {
      const folder = await folderNamed(context, name)
      const remote = await readRemotePath(context, target ?? `:${folder.slice(folder.lastIndexOf('/') + 1)}/`)
      if (!isFolderPath(remote)) throw new CliError('usage', `a folder ends in a slash: ${remote.text}/`)
      const connection = await openConnection(context, options, remote.address)
      const key = `${connection.transport.hubUrl} ${connection.address}/${remote.path}`
      const synced = await readSyncState(folder, key)
      const apply: ApplyContext = {
        connection,
        folder,
        prefix: remote.path,
        synced,
        keepHistory: options.keepHistory ?? false,
        signal: context.signal,
        now: context.now,
      }
      const plan = await planAll(context, apply, options)
      if (options.dryRun === true) tellPlan(context, plan)
      else await run(context, apply, plan, options, () => writeSyncState(folder, key, synced))
    })
}

function append(pattern: string, before: string[] = []): string[] {
  return [...before, pattern]
}

async function folderNamed(context: CliContext, name: string): Promise<string> {
  const folder = context.pathOf(name)
  if (!(await stat(folder)).isDirectory()) throw new CliError('usage', `${name} is not a folder`)
  return realpath(folder)
}

interface Plan {
  readonly steps: readonly Step[]
  /** Bytes that will be moved, about. */
  readonly bytes: number
  readonly unchanged: number
}

async function planAll(context: CliContext, apply: ApplyContext, options: SyncOptions): Promise<Plan> {
  const matchers = (options.exclude ?? []).map(matcherOf)
  const scan = {
    isExcluded: (path: string) => matchers.some((matches) => matches(path)),
    onSkip: (path: string, why: string) => context.out.warn(`${path} is ${why}; left out`),
  }
  const [local, remote] = await Promise.all([
    scanLocal(apply.folder, scan),
    scanRemote(apply.connection, apply.prefix, context.signal, scan),
  ])
  const steps: Step[] = []
  let bytes = 0
  let unchanged = 0
  for (const path of allPaths(local, remote, apply.synced)) {
    // What is excluded now is neither changed nor forgotten.
    if (scan.isExcluded(path)) continue
    const sides = {
      local: local.get(path) ?? null,
      remote: remote.get(path) ?? null,
      synced: apply.synced.get(path) ?? null,
    }
    const step = planStep(path, sides, { deletes: options.delete ?? false })
    if (step === null) unchanged += 1
    else steps.push(step)
    bytes += step === null ? 0 : bytesOf(step)
  }
  return { steps, bytes, unchanged }
}

function allPaths(...sides: readonly ReadonlyMap<string, unknown>[]): string[] {
  return [...new Set(sides.flatMap((side) => [...side.keys()]))].sort((a, b) => (a < b ? -1 : 1))
}

function bytesOf(step: Step): number {
  if (step.do === 'upload') return step.local.size
  return step.do === 'download' || step.do === 'compare' ? step.remote.size : 0
}

const plannedWords: Readonly<Record<Step['do'], string>> = {
  upload: 'would upload',
  download: 'would download',
  'delete-remote': 'would delete there',
  'delete-local': 'would delete here',
  compare: 'would compare',
  forget: 'is gone on both sides',
  kept: 'would keep',
}

function tellPlan({ out }: CliContext, { steps, unchanged }: Plan): void {
  for (const step of steps) {
    const more = step.do === 'kept' ? keptNote(step.deleted) : ''
    out.result(
      { path: step.path, planned: step.do },
      `${plannedWords[step.do].padEnd(18)}  ${printable(step.path)}${more}`,
    )
  }
  out.note(`${steps.length} to do, ${unchanged} unchanged; nothing was done.`)
}

const doneWords: Readonly<Record<Done['what'], string>> = {
  uploaded: 'uploaded',
  downloaded: 'downloaded',
  'deleted-here': 'deleted here',
  'deleted-there': 'deleted there',
  same: 'same',
  forgotten: 'gone',
  kept: 'kept',
  conflict: 'conflict',
}

/** The state is written as the run goes on, so that a break costs no more than comparing some files anew. */
async function run(
  context: CliContext,
  apply: ApplyContext,
  { steps, bytes, unchanged }: Plan,
  options: SyncOptions,
  save: () => Promise<void>,
): Promise<void> {
  const counts = new Map<Done['what'], number>()
  const saving = sparingly(save, context.now)
  try {
    await transferMany(context, {
      label: 'sync',
      items: steps,
      totalBytes: bytes,
      width: options.parallel,
      nameOf: ({ path }) => path,
      async transfer(step, { onBytes, print }) {
        const done = await applyStep(apply, step, onBytes).catch((error: unknown) => {
          throw explain(error)
        })
        counts.set(done.what, (counts.get(done.what) ?? 0) + 1)
        print(() => tellDone(context, step.path, done))
        await saving()
      },
    })
  } finally {
    await save()
  }
  const parts = [...counts].map(([what, count]) => `${count} ${doneWords[what]}`)
  context.out.note([...parts, `${unchanged} unchanged`].join(', '))
  const conflicts = counts.get('conflict') ?? 0
  if (conflicts > 0) {
    throw new CliError(
      'conflict',
      `${conflicts} changed on both sides; both versions are kept, yours as .conflict-…`,
    )
  }
}

function tellDone({ out }: CliContext, path: string, done: Done): void {
  const kept = done.what === 'conflict' ? done.kept : null
  const more =
    kept === null ? (done.what === 'kept' ? keptNote(done.deleted) : '') : `  (yours: ${printable(kept)})`
  const value = { path, done: done.what, ...(kept === null ? {} : { kept }) }
  if (done.what !== 'forgotten')
    out.result(value, `${doneWords[done.what].padEnd(13)}  ${printable(path)}${more}`)
}

function keptNote(deleted: 'here' | 'there'): string {
  return `  (deleted ${deleted}; --delete passes that on)`
}

/** Every two seconds at most, and one at a time. */
function sparingly(save: () => Promise<void>, now: () => number): () => Promise<void> {
  let last = now()
  let running: Promise<void> | null = null
  return async () => {
    if (running !== null || now() - last < 2_000) return
    last = now()
    running = save()
    await running
    running = null
  }
}

function explain(error: unknown): unknown {
  if (!(error instanceof PreconditionFailedError)) return error
  return new CliError('conflict', 'was changed there meanwhile; run sync again', { cause: error })
}
