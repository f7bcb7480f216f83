import { Presets, SingleBar } from 'cli-progress'
import type { CliContext } from '../context.ts'
import { formatBytes, formatSpan } from './units.ts'

export interface ProgressOptions {
  /** What is done, as a verb: `put`, `get`. */
  label: string
  /** Bytes in all; `null` where nobody knows. */
  totalBytes: number | null
  totalFiles: number
}

/** Progress of a long transfer: a bar on a terminal, a line now and then elsewhere, nothing with `--quiet`. */
export interface TransferProgress {
  /** Bytes of one file so far; they may become fewer where a transfer begins again. */
  set(file: string, bytes: number): void
  fileDone(file: string): void
  /** More was found that is to be done. */
  grow(bytes: number, files: number): void
  /** Runs something that prints, with the bar out of its way. */
  around(print: () => void): void
  stop(): void
}

/** Elsewhere than on a terminal a line is printed as often as this. */
const lineEveryMs = 10_000

export function startProgress(context: CliContext, options: ProgressOptions): TransferProgress {
  const { out, io } = context
  const tally = new Tally(options, context.now)
  if (out.quiet) return plainProgress(tally, () => undefined)
  if (io.stderr.isTTY === true) return barProgress(context, tally)
  const timer = setInterval(() => io.stderr.write(`${tally.line()}\n`), lineEveryMs)
  timer.unref()
  return plainProgress(tally, () => clearInterval(timer))
}

function plainProgress(tally: Tally, stop: () => void): TransferProgress {
  return {
    set: (file, bytes) => tally.set(file, bytes),
    fileDone: (file) => tally.fileDone(file),
    grow: (bytes, files) => tally.grow(bytes, files),
    around: (print) => print(),
    stop,
  }
}

function barProgress({ io }: CliContext, tally: Tally): TransferProgress {
  const bar = new SingleBar(
    {
      format: (_options, params) =>
        tally.bar(Math.min(30, Math.max(8, (io.stderr.columns ?? 80) - 60)), params.progress),
      stream: io.stderr,
      clearOnComplete: true,
      hideCursor: true,
      fps: 8,
    },
    Presets.legacy,
  )
  bar.start(1, 0)
  const show = () => bar.update(tally.share())
  return {
    set: (file, bytes) => {
      tally.set(file, bytes)
      show()
    },
    fileDone: (file) => {
      tally.fileDone(file)
      show()
    },
    grow: (bytes, files) => tally.grow(bytes, files),
    around: (print) => {
      // Ended, the bar clears its line and no other; begun again, it draws itself below what was printed.
      bar.stop()
      print()
      bar.start(1, tally.share())
    },
    stop: () => bar.stop(),
  }
}

/** Sums, rates and their wording. */
class Tally {
  readonly #label: string
  readonly #now: () => number
  readonly #began: number
  readonly #loaded = new Map<string, number>()
  #finishedBytes = 0
  #finishedFiles = 0
  #totalBytes: number | null
  #totalFiles: number

  constructor({ label, totalBytes, totalFiles }: ProgressOptions, now: () => number) {
    this.#label = label
    this.#now = now
    this.#began = now()
    this.#totalBytes = totalBytes
    this.#totalFiles = totalFiles
  }

  set(file: string, bytes: number): void {
    this.#loaded.set(file, bytes)
  }

  fileDone(file: string): void {
    this.#finishedBytes += this.#loaded.get(file) ?? 0
    this.#finishedFiles += 1
    this.#loaded.delete(file)
  }

  grow(bytes: number, files: number): void {
    if (this.#totalBytes !== null) this.#totalBytes += bytes
    this.#totalFiles += files
  }

  /** 0 to 1. */
  share(): number {
    if (this.#totalBytes === null) return 0
    return this.#totalBytes === 0 ? 1 : Math.min(1, this.#bytes() / this.#totalBytes)
  }

  line(): string {
    const percent = this.#totalBytes === null ? '' : `${Math.floor(this.share() * 100)}%, `
    return `${this.#label}: ${percent}${this.#amounts().join(', ')}`
  }

  bar(width: number, share: number): string {
    const full = Math.round(width * share)
    const drawn = `[${'#'.repeat(full)}${'.'.repeat(width - full)}]`
    const percent = `${Math.floor(share * 100)}%`.padStart(4)
    return `${this.#label} ${this.#totalBytes === null ? '' : `${drawn} ${percent}  `}${this.#amounts().join('  ')}`
  }

  #amounts(): string[] {
    const bytes = this.#bytes()
    const seconds = (this.#now() - this.#began) / 1000
    const rate = seconds > 0.5 ? bytes / seconds : 0
    const left = this.#totalBytes === null || rate === 0 ? null : (this.#totalBytes - bytes) / rate
    return [
      this.#totalBytes === null
        ? formatBytes(bytes)
        : `${formatBytes(bytes)} of ${formatBytes(this.#totalBytes)}`,
      ...(this.#totalFiles > 1 ? [`${this.#finishedFiles} of ${this.#totalFiles} files`] : []),
      ...(rate === 0 ? [] : [`${formatBytes(rate)}/s`]),
      ...(left === null || left < 1 ? [] : [`${formatSpan(left)} left`]),
    ]
  }

  #bytes(): number {
    let sum = this.#finishedBytes
    for (const bytes of this.#loaded.values()) sum += bytes
    return sum
  }
}
