import { Presets, SingleBar } from 'cli-progress'
import type { CliContext } from '../context.ts'

/** Progress of something that is done file by file. */
export interface CountProgress {
  set(done: number, total: number): void
  /** Runs something that prints, with the bar out of its way. */
  around(print: () => void): void
  stop(): void
}

/** Elsewhere than on a terminal a line is printed as often as this. */
const lineEveryMs = 10_000

/** A bar on a terminal, a line now and then elsewhere, nothing with `--quiet`. @param label a verb: `unshare` */
export function startCount({ out, io }: CliContext, label: string): CountProgress {
  let [done, total] = [0, 0]
  const line = () => `${label}: ${done} of ${total} files`
  const set = (nowDone: number, nowTotal: number) => {
    done = nowDone
    total = nowTotal
  }
  const print = (show: () => void) => show()
  if (out.quiet) return { set, around: print, stop: () => undefined }
  if (io.stderr.isTTY !== true) {
    const timer = setInterval(() => io.stderr.write(`${line()}\n`), lineEveryMs)
    timer.unref()
    return { set, around: print, stop: () => clearInterval(timer) }
  }
  const format = () => `${drawn(total === 0 ? 0 : done / total)} ${line()}`
  const bar = new SingleBar(
    { format, stream: io.stderr, clearOnComplete: true, hideCursor: true, fps: 8 },
    Presets.legacy,
  )
  bar.start(1, 0)
  return {
    set(nowDone, nowTotal) {
      set(nowDone, nowTotal)
      bar.update(total === 0 ? 0 : done / total)
    },
    around(show) {
      bar.stop()
      show()
      bar.start(1, total === 0 ? 0 : done / total)
    },
    stop: () => bar.stop(),
  }
}

function drawn(share: number): string {
  const full = Math.round(20 * share)
  return `[${'#'.repeat(full)}${'.'.repeat(20 - full)}]`
}
