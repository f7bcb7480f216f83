import type { Crew } from './crew.ts'
import { type JsonAnswer, post } from './http.ts'

/** What became of requests: how often each status was answered, and how often the connection broke. */
export class Tally {
  readonly counts: Record<string, number> = {}

  add(outcome: string): void {
    this.counts[outcome] = (this.counts[outcome] ?? 0) + 1
  }
}

/** Stores once at any hub; `null` where the connection broke, so that nobody knows what became of it. */
export async function storeAnywhere(
  crew: Crew,
  tally: Tally,
  target: string,
  headers: Record<string, string>,
  body: Buffer,
): Promise<JsonAnswer | null> {
  try {
    const answer = await post(`${crew.any().url}/store/${target}`, headers, body)
    tally.add(String(answer.status))
    return answer
  } catch (error) {
    // What fetch throws where the connection breaks, or cannot be made.
    if (!(error instanceof TypeError)) throw error
    tally.add('broken')
    return null
  }
}
