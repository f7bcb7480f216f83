/** The run that is under way for one name, and the one after it for who asked meanwhile. */
interface Turn<T> {
  readonly running: Promise<T>
  next: Promise<T> | null
}

/**
 * Lets callers who want the same thing of the same name at the same time share it. Who asks while a run is under
 * way joins the next one, since this one may have begun before what the caller has done: a hundred callers at
 * once cost two runs, and each gets one that began after it asked.
 */
export class SharedRuns<T> {
  readonly #run: (name: string) => Promise<T>
  readonly #turns = new Map<string, Turn<T>>()

  constructor(run: (name: string) => Promise<T>) {
    this.#run = run
  }

  /** The result of a run that begins now or later. */
  ask(name: string): Promise<T> {
    const turn = this.#turns.get(name)
    if (turn === undefined) return this.#start(name)
    const start = (): Promise<T> => this.#start(name)
    turn.next ??= turn.running.then(start, start)
    return turn.next
  }

  #start(name: string): Promise<T> {
    const turn: Turn<T> = { running: this.#run(name), next: null }
    this.#turns.set(name, turn)
    const end = (): void => {
      if (turn.next === null) this.#turns.delete(name)
    }
    return turn.running.finally(end)
  }
}
