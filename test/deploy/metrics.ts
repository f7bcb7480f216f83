import type { BinProcess } from './bins.ts'

/** One line of a page of metrics. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

export type Samples = readonly Sample[]

/** The page that the summary of a process names. */
export async function metricsOf(running: BinProcess): Promise<Samples> {
  const url = /metrics +(http:\S+)/.exec(running.stderr())?.[1]
  if (url === undefined) throw new Error(`no metrics in ${running.stderr()}`)
  const answer = await fetch(url)
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status}`)
  return parseMetrics(await answer.text())
}

/** The text format of Prometheus, as far as prom-client writes it. */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === undefined) return []
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text])
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }]
  })
}

/** The sum of the samples of a name whose labels are these, and perhaps more. */
export function sumOf(samples: Samples, name: string, labels: Record<string, string>): number {
  return samples
    .filter((sample) => sample.name === name)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0)
}
