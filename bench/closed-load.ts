import { type Outcome, RawClient } from './raw-client.ts'

export interface ClosedLoad {
  port: number
  /** Whole text of the n-th request, head and body. */
  request: (n: number) => string
  connections: number
  seconds: number
}

/**
 * As many requests as the server answers, from connections that wait for each answer. Any answer but 202 makes the run
 * worthless, so it throws. @returns requests a second
 */
export async function loadClosed({ port, request, connections, seconds }: ClosedLoad): Promise<number> {
  let sent = 0
  let answered = 0
  let failure: Outcome | null = null
  const began = performance.now()
  const isOver = () => failure !== null || performance.now() - began >= seconds * 1000
  await Promise.all(
    Array.from(
      { length: connections },
      () =>
        new Promise<void>((resolve) => {
          const client = new RawClient(port, (own, outcome) => {
            if (outcome.status === 202) answered++
            else failure = outcome
            if (!isOver()) return own.send(request(sent++))
            own.destroy()
            resolve()
          })
          client.send(request(sent++))
        }),
    ),
  )
  if (failure !== null) throw new Error(`an answer was ${(failure as Outcome).status} where 202 was expected`)
  return answered / ((performance.now() - began) / 1000)
}
