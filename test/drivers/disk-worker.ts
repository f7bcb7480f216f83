import { Readable } from 'node:stream'
import { type DiskDriverOptions, diskDriver } from '../../drivers/disk/index.ts'
import type { Condition } from '../../drivers/driver.ts'
import { DriverError } from '../../drivers/errors.ts'
import { parseKey } from '../../drivers/parse-key.ts'
import { contentOf, typeOf } from './versions.ts'

/**
 * A process of its own over a folder. It says `ready` when its driver is open, then does what it is told: `loop`
 * overwrites one key for ever and reports each version after it was answered; `race` writes once and reports how
 * it went.
 */
export type Order =
  | { do: 'loop'; key: string; from: number }
  | { do: 'race'; key: string; condition: Condition; content: string }
export type Report = { done: number } | { outcome: 'won' | 'lost'; etag?: string | undefined } | 'ready'

const options: DiskDriverOptions = JSON.parse(process.argv[2] ?? '')
const driver = await diskDriver(options)

process.on('message', (order: Order) => {
  void (order.do === 'loop' ? loop(order.key, order.from) : race(order.key, order.condition, order.content))
})
process.on('disconnect', () => process.exit(0))
report('ready')

async function loop(name: string, from: number): Promise<void> {
  const key = parseKey(name)
  for (let version = from; ; version++) {
    // In pieces, so that a kill may fall into the middle of a body.
    const content = contentOf(version)
    const body = Readable.from([content.subarray(0, 10), content.subarray(10, 5000), content.subarray(5000)])
    await driver.write(key, body, { contentType: typeOf(version) })
    report({ done: version })
  }
}

async function race(name: string, condition: Condition, content: string): Promise<void> {
  try {
    const body = Readable.from([Buffer.from(content)])
    const { etag } = await driver.write(parseKey(name), body, { contentType: 'a/b', condition })
    report({ outcome: 'won', etag })
  } catch (error) {
    if (!(error instanceof DriverError) || error.code !== 'precondition_failed') throw error
    report({ outcome: 'lost', etag: error.etag })
  }
}

function report(message: Report): void {
  process.send?.(message)
}
