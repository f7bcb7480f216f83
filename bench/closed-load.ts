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
  const began = performance.now()
  const isOver = () => performance.now() - began >= seconds * 1000

  const oneByOne = () =>
    new Promise<void>((resolve, reject) => {
      const next = (client: RawClient) => {
        try {
          client.send(request(sent++))
        } catch (error) {
          client.destroy()
          reject(error)
        }
      }
      const take = (client: RawClient, { status }: Outcome) => {
        if (status === 202) answered++
        if (status === 202 && !client.closes && !isOver()) return next(client)
        client.destroy()
        if (status === 202 && !client.closes) resolve()
        else reject(new Error(`an answer was ${status}, or ended its connection, where 202 was expected`))
      }
      next(new RawClient(port, take))
    })
  await Promise.all(Array.from({ length: connections }, oneByOne))
  return answered / ((performance.now() - began) / 1000)
}
