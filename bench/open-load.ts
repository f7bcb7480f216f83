import { type Outcome, RawClient } from './raw-client.ts'

export interface OpenLoad {
  port: number
  /** Whole text of the n-th request, head and body. */
  request: (n: number) => string
  requestsPerSecond: number
  seconds: number
  /** A request for which no connection is free is left out, and counted as such. */
  maxConnections: number
}

export interface OpenLoadResult {
  outcomes: Outcome[]
  leftOut: number
}

/**
 * Sends at a rate that does not wait for answers, as many independent clients do: a server that gets slow gets no
 * less to do.
 */
export async function loadOpen(load: OpenLoad): Promise<OpenLoadResult> {
  const free: RawClient[] = []
  const all = new Set<RawClient>()
  const outcomes: Outcome[] = []
  let leftOut = 0
  let sent = 0

  const release = (client: RawClient, outcome: Outcome) => {
    outcomes.push(outcome)
    if (outcome.status === 0 || client.closes) all.delete(client)
    else free.push(client)
  }
  const obtain = () => {
    const idle = free.pop()
    if (idle !== undefined || all.size >= load.maxConnections) return idle
    const client = new RawClient(load.port, release)
    all.add(client)
    return client
  }

  const began = performance.now()
  while (performance.now() - began < load.seconds * 1000) {
    const due = ((performance.now() - began) / 1000) * load.requestsPerSecond
    for (; sent < due; sent++) {
      const client = obtain()
      if (client === undefined) leftOut++
      else client.send(load.request(sent))
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  for (const client of all) client.destroy()
  return { outcomes, leftOut }
}
