import { SingleBar } from 'cli-progress'
import { type CliContext, formatBytes, formatSpan } from '../../../client/cli/index.ts'
import type { CopyProgress } from './copy-storage.ts'

/** How far a copy is: a bar on a terminal, a line now and then elsewhere, nothing with `--quiet`. */
export interface ShownProgress extends CopyProgress {
  /** Runs something that prints, with the bar out of its way. */
  around(print: () => void): void
  stop(): void
}

/** Elsewhere than on a terminal a line is printed as often as this. */
const lineEveryMs = 10_000

export function showProgress({ io, out, now }: CliContext, label: string): ShownProgress {
  const tally = new Tally(now)
  if (out.quiet) return shown(tally, { isShown: false, around: (print) => print(), stop: () => undefined })
  if (io.stderr.isTTY === true) return shown(tally, bar(tally, label, io.stderr))
  const timer = setInterval(() => io.stderr.write(`${label}: ${tally.text()}\n`), lineEveryMs)
  timer.unref()
  return shown(tally, { isShown: true, around: (print) => print(), stop: () => clearInterval(timer) })
}

type Display = Pick<ShownProgress, 'isShown' | 'around' | 'stop'>

function shown(tally: Tally, display: Display): ShownProgress {
  return {
    ...display,
    found: (files) => tally.found(files),
    moved: (key, bytes) => tally.moved(key, bytes),
    done: (key) => tally.done(key),
  }
}

function bar(tally: Tally, label: string, stream: CliContext['io']['stderr']): Display {
  const drawn = (share: number) => `[${'#'.repeat(Math.round(share * 20)).padEnd(20, '.')}]`
  const format = () => {
    const share = tally.share()
    return `${label} ${drawn(share)} ${String(Math.floor(share * 100)).padStart(3)}%  ${tally.text()}`
  }
  const single = new SingleBar({
    format,
    stream,
    clearOnComplete: true,
    hideCursor: true,
    fps: 8,
    forceRedraw: true,
  })
  single.start(1, 0)
  return {
    isShown: true,
    around(print) {
      // The bar draws itself again on the next line.
      stream.write('\r\u001b[K')
      print()
    },
    stop: () => single.stop(),
  }
}

class Tally {
  readonly #now: () => number
  readonly #began: number
  readonly #under = new Map<string, number>()
  #files = 0
  #doneFiles = 0
  #bytes = 0

  constructor(now: () => number) {
    this.#now = now
    this.#began = now()
  }

  found(files: number): void {
    this.#files += files
  }

  moved(key: string, bytes: number): void {
    this.#bytes += bytes - (this.#under.get(key) ?? 0)
    this.#under.set(key, bytes)
  }

  done(key: string): void {
    this.#doneFiles++
    this.#under.delete(key)
  }

  /** 0 to 1, of the files that were counted. */
  share(): number {
    return this.#files === 0 ? 0 : Math.min(1, this.#doneFiles / this.#files)
  }

  text(): string {
    const seconds = (this.#now() - this.#began) / 1000
    const left = (seconds * (1 - this.share())) / this.share()
    return [
      `${this.#doneFiles} of ${Math.max(this.#files, this.#doneFiles)} files`,
      formatBytes(this.#bytes),
      ...(seconds > 1 ? [`${formatBytes(this.#bytes / seconds)}/s`] : []),
      ...(seconds > 5 && left >= 1 && Number.isFinite(left) ? [`${formatSpan(left)} left`] : []),
    ].join('  ')
  }
}
