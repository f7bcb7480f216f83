import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { DiskDriverOptions } from '../../drivers/disk/index.ts'
import type { Order, Report } from './disk-worker.ts'

/** Starts a disk-worker over a folder and waits until its driver is open. */
export async function startWorker(options: DiskDriverOptions): Promise<Worker> {
  const child = fork(new URL('./disk-worker.js', import.meta.url), [JSON.stringify(options)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const worker = new Worker(child)
  await worker.next()
  return worker
}

export class Worker {
  readonly #child: ChildProcess
  readonly #reports: Report[] = []
  #waiting: { resolve(report: Report): void; reject(error: Error): void } | null = null

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', (report: Report) => {
      this.#reports.push(report)
      this.#hand()
    })
    child.on('exit', (code, signal) => {
      this.#waiting?.reject(new Error(`the worker ended with ${code ?? signal}`))
    })
  }

  order(order: Order): void {
    this.#child.send(order)
  }

  /** The next report, in order; one caller at a time. Fails when the process ends without one. */
  next(): Promise<Report> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#hand()
    })
  }

  /** All reports that have come and were not taken. */
  take(): Report[] {
    return this.#reports.splice(0)
  }

  /** Ends the process as a crash does, and waits until nothing more can come from it. */
  async kill(): Promise<void> {
    const closed = once(this.#child, 'close')
    this.#child.kill('SIGKILL')
    await closed
  }

  #hand(): void {
    if (this.#waiting === null) return
    const report = this.#reports.shift()
    if (report === undefined) return
    this.#waiting.resolve(report)
    this.#waiting = null
  }
}
