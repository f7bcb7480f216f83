import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { parse } from 'yaml'
import { checkout, readDocument, tableRows } from '../docs/markdown.ts'
import { endBins, startBin } from './bins.ts'

interface Panel {
  title: string
  type: string
  targets?: { expr: string }[]
  gridPos: { x: number; y: number; w: number; h: number }
}

interface Rule {
  alert: string
  expr: string
  labels: { severity: string }
  annotations: { summary: string; description: string }
}

const folder = `${checkout}deploy/observability/`
const dashboard = JSON.parse(readFileSync(`${folder}grafana-dashboard.json`, 'utf8')) as { panels: Panel[] }
const { groups } = parse(readFileSync(`${folder}alerts.yaml`, 'utf8')) as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

/** Names of metrics in PromQL: those of ours, of Node and of the process. */
function namesIn(expr: string): string[] {
  return expr.match(/\b(mandate|nodejs|process)_[a-z0-9_]+\b/g) ?? []
}

describe('deploy/observability', () => {
  let served: Set<string>

  before(async () => {
    const args = ['--host', '127.0.0.1', '--port', '0', '--reader-port', '0', '--workers', '2']
    const running = await startBin('mandate-serve', { args, file: { metrics: { port: 0 } } })
    await running.until('stop ')
    const url = /metrics +(http:\S+)/.exec(running.stderr())?.[1] ?? ''
    served = metricNames(await (await fetch(url)).text())
  })
  after(endBins)

  const expressions = [
    ...dashboard.panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ where: `the panel “${title}”`, expr })),
    ),
    ...rules.map(({ alert, expr }) => ({ where: `the alert ${alert}`, expr })),
  ]
  const named = new Map(expressions.flatMap(({ where, expr }) => namesIn(expr).map((name) => [name, where])))

  for (const [name, where] of named) {
    it(`names a metric that is served: ${name}, in ${where}`, () => {
      expect([...served]).to.include(name)
    })
  }

  it('shows every metric of ours but the version somewhere', () => {
    const shown = new Set([...named.keys()].map((name) => name.replace(/_(bucket|sum|count)$/, '')))
    const ours = [...served].filter(
      (name) => name.startsWith('mandate_') && !/_(bucket|sum|count|info)$/.test(name),
    )
    expect(ours.filter((name) => !shown.has(name))).to.deep.equal([])
  })

  it('has every metric of ours, and no other, in the table of docs/operations.md', () => {
    const [, section = ''] = readDocument('docs/operations.md').split('\n### Metrics\n')
    const rows = tableRows(section.split('\n### ')[0] ?? '')
    const told = rows.flatMap(([names = '']) => [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name))
    const ours = [...served].filter(
      (name) => name.startsWith('mandate_') && !/_(bucket|sum|count)$/.test(name),
    )
    expect(told).to.have.members(ours)
  })

  it('has panels that ask for something and do not lie on each other', () => {
    const cells = new Set<string>()
    for (const { title, type, targets = [], gridPos } of dashboard.panels) {
      if (type !== 'row') expect(targets.length, title).to.be.greaterThan(0)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(cells.has(`${x} ${y}`), `${title} at ${x} ${y}`).to.equal(false)
          cells.add(`${x} ${y}`)
        }
      }
    }
  })

  it('has alerts that say how bad it is, what it means and what to look at', () => {
    expect(rules.length).to.be.greaterThan(5)
    for (const { alert, labels, annotations } of rules) {
      expect(labels.severity, alert).to.be.oneOf(['critical', 'warning', 'info'])
      expect(annotations.summary, alert).to.match(/\w/)
      expect(annotations.description.length, alert).to.be.greaterThan(40)
    }
  })

  it('has parentheses, braces and brackets that pair', () => {
    for (const { where, expr } of expressions) {
      for (const [open, close] of ['()', '{}', '[]']) {
        expect(expr.split(open ?? '').length, `${where}: ${expr}`).to.equal(expr.split(close ?? '').length)
      }
    }
  })
})

/** Also of metrics without a sample yet; a histogram has three names. */
function metricNames(page: string): Set<string> {
  const types = [...page.matchAll(/^# TYPE (\S+) (\S+)$/gm)]
  return new Set(
    types.flatMap(([, name = '', type]) =>
      type === 'histogram' ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  )
}
