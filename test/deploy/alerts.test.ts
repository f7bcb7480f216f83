import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { stringify } from 'yaml'
import { checkout } from '../docs/markdown.ts'
import { debianProgram, suiteNeedsProgram } from '../servers/debian-program.ts'
import { endBins, tempFolder } from './bins.ts'

const rules = `${checkout}deploy/observability/alerts.yaml`

interface Row {
  title: string
  alert: string
  fires: boolean
  /** What is scraped each minute, in the notation of promtool: start, growth, how often. */
  series: Record<string, string>
}

const credentials = (outcome: string) => `mandate_hub_credentials_total{instance="a",outcome="${outcome}"}`

const requests = (status: number) =>
  `mandate_http_requests_total{instance="a",server="hub",status="${status}"}`

const rows: Row[] = [
  ...[500, 502, 503].map((status) => ({
    title: `the hub answers with ${status}`,
    alert: 'MandateServerErrors',
    fires: true,
    series: { [requests(status)]: '0+60x60', [requests(202)]: '0+600x60' },
  })),
  {
    title: 'somebody asks for what the hub does not do (501)',
    alert: 'MandateServerErrors',
    fires: false,
    series: { [requests(501)]: '0+60x60', [requests(202)]: '0+600x60' },
  },
  ...['unauthorized', 'wrong-audience', 'bad-signature', 'malformed'].map((outcome) => ({
    title: `every credential since the start is refused (${outcome})`,
    alert: 'MandateBadCredentials',
    fires: true,
    series: { [credentials(outcome)]: '0+600x60', [credentials('accepted')]: '0+0x60' },
  })),
  {
    title: 'as many credentials are good as bad',
    alert: 'MandateBadCredentials',
    fires: false,
    series: { [credentials('unauthorized')]: '0+600x60', [credentials('accepted')]: '0+600x60' },
  },
]

describe('the alerts', () => {
  suiteNeedsProgram('promtool', 'prometheus')
  after(endBins)

  it('are rules that Prometheus takes', async () => {
    await promtool('check', 'rules', rules)
  })

  for (const { title, alert, fires, series } of rows) {
    it(`(${alert}) ${fires ? 'fire' : 'do not fire'} where ${title}`, async () => {
      const firing = `count(ALERTS{alertname="${alert}",alertstate="firing"})`
      const test = {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          { expr: firing, eval_time: '45m', exp_samples: fires ? [{ labels: '{}', value: 1 }] : [] },
        ],
      }
      const file = join(await tempFolder(), 'test.yaml')
      await writeFile(file, stringify({ rule_files: [rules], evaluation_interval: '1m', tests: [test] }))
      await promtool('test', 'rules', file)
    })
  }
})

/** @throws with what it prints where it is not content */
async function promtool(...args: string[]): Promise<void> {
  const program = await debianProgram('promtool', 'prometheus')
  const failed = await promisify(execFile)(program, args).then(
    () => null,
    (error: Error & { stdout?: string; stderr?: string }) =>
      `${error.message}\n${error.stdout ?? ''}${error.stderr ?? ''}`,
  )
  expect(failed).to.equal(null)
}
