import cluster, { type Worker } from 'node:cluster'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import { StartError } from '../start-error.ts'
import { BackOff } from './back-off.ts'
import type { FromWorker, Listening, ToWorker } from './messages.ts'

export interface PoolOptions {
  count: number
  /** What each is to be told, but for its number. */
  start: Omit<Extract<ToWorker, { type: 'start' }>, 'type' | 'number'>
  logger: Logger
  /** Called with each worker that has begun to serve. */
  onServing: (worker: Worker) => void
  /** Called when a worker has ended by itself. */
  onRestart: () => void
}

export interface Pool {
  readonly listening: Listening
  /** How many serve at the moment. */
  size(): number
  /** Has them all finish what is under way. */
  close(): Promise<void>
  /** Ends them at once. */
  kill(): void
}

/**
 * Starts workers that listen at the same ports and keeps their number: one that ends is started anew. The first alone,
 * so that what is wrong with the configuration is told once, and a folder or bucket is made by one of them.
 * @throws {StartError} and leaves none running
 */
export async function startPool(options: PoolOptions): Promise<Pool> {
  const { count } = options
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./worker.js', import.meta.url)), args: [] })
  const pool = new WorkerPool(options)
  try {
    const listening = await pool.add(1)
    await Promise.all(Array.from({ length: count - 1 }, (_, i) => pool.add(i + 2)))
    return {
      listening,
      size: () => pool.serving.size,
      close: () => pool.close(),
      kill: () => pool.kill(),
    }
  } catch (error) {
    pool.kill()
    throw error
  }
}

class WorkerPool {
  readonly workers = new Set<Worker>()
  /** Of these, those that are ready. */
  readonly serving = new Set<Worker>()
  readonly #options: PoolOptions
  readonly #timers = new Set<NodeJS.Timeout>()
  #isClosing = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Starts one and keeps it. @throws {StartError} where its first start fails */
  async add(number: number): Promise<Listening> {
    return await this.#start(number, new BackOff())
  }

  async close(): Promise<void> {
    this.#end()
    await Promise.all(
      [...this.workers].map(async (worker) => {
        const ended = new Promise((resolve) => worker.once('exit', resolve))
        // One that is being started would not hear of it, and has nothing to finish.
        if (!this.serving.has(worker)) worker.process.kill('SIGTERM')
        else if (worker.isConnected()) worker.send({ type: 'stop' } satisfies ToWorker)
        await ended
      }),
    )
  }

  kill(): void {
    this.#end()
    for (const worker of this.workers) worker.process.kill('SIGKILL')
  }

  #end(): void {
    this.#isClosing = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #start(number: number, backOff: BackOff): Promise<Listening> {
    const beganMs = performance.now()
    const worker = cluster.fork()
    this.workers.add(worker)
    worker.once('exit', () => this.workers.delete(worker))
    const listening = await untilReady(worker, { ...this.#options.start, type: 'start', number })
    this.serving.add(worker)
    this.#options.onServing(worker)
    this.#options.logger.info({ number, pid: worker.process.pid }, 'a worker serves')
    worker.once('exit', (status, signal) => {
      this.serving.delete(worker)
      if (this.#isClosing) return
      this.#options.onRestart()
      this.#restart(number, backOff, { status, signal, livedMs: performance.now() - beganMs })
    })
    return listening
  }

  #restart(number: number, backOff: BackOff, end: { status: number; signal: string; livedMs: number }): void {
    const { logger } = this.#options
    const waitMs = backOff.next(end.livedMs)
    logger.error({ number, ...end, waitMs }, 'a worker has ended; another takes its place')
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#start(number, backOff).catch((error: unknown) => {
        if (this.#isClosing) return
        logger.error({ number, err: error }, 'a worker could not be started anew')
        this.#restart(number, backOff, { status: 1, signal: '', livedMs: 0 })
      })
    }, waitMs)
    this.#timers.add(timer)
  }
}

/** Tells it what to serve. @throws {StartError} where it says that it failed, or ends before it serves */
function untilReady(worker: Worker, start: ToWorker): Promise<Listening> {
  return new Promise((resolve, reject) => {
    worker.on('message', (message: FromWorker) => {
      if (message.type === 'loaded') worker.send(start)
      if (message.type === 'ready') resolve(message.listening)
      if (message.type === 'failed') reject(new StartError(message.kind, message.message))
    })
    worker.once('exit', (status: number, signal: string | null) => {
      reject(new StartError('start', `a worker ended before it served (${signal ?? `status ${status}`})`))
    })
  })
}
