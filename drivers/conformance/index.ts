import type { Driver } from '../driver.ts'
import { describeBuckets } from './buckets.ts'
import { describeConditions } from './conditions.ts'
import { describeCopies } from './copies.ts'
import type { ConformanceOptions, DriverHarness, Suite } from './harness.ts'
import { describeKeys } from './keys.ts'
import { describeLists } from './lists.ts'
import { describeObjects } from './objects.ts'
import { describePresigning } from './presign.ts'
import { describeRanges } from './ranges.ts'
import { roughTimes } from './rough-times.ts'
import { describeStreams } from './streams.ts'

export type { ConformanceOptions, DriverHarness } from './harness.ts'

/**
 * The Driver contract as mocha tests, for every driver alike. Call it at the top of a test file:
 *
 * ```ts
 * driverConformance('my driver', async () => {
 *   const bucket = await makeEmptyBucket()
 *   return { driver: myDriver(bucket), leftovers: () => bucket.unfinishedUploads(), close: () => bucket.remove() }
 * })
 * ```
 *
 * @param name of the driver, for the titles
 * @param makeHarness gives each test an empty storage of its own, and is told when the test is over
 */
export function driverConformance(
  name: string,
  makeHarness: () => Promise<DriverHarness>,
  options: ConformanceOptions = {},
): void {
  const {
    shared = true,
    readAheadBytes = 2 * 1024 * 1024,
    canHold = () => true,
    contentEtags = false,
    atomicDeletes = true,
    writeTimeSlackMs = 0,
    presigns = 'nothing',
  } = options
  const harnessOf = async (): Promise<DriverHarness> => {
    const harness = await makeHarness()
    return writeTimeSlackMs === 0 ? harness : withRoughTimes(harness, writeTimeSlackMs)
  }
  const suite: Suite = {
    contentEtags,
    atomicDeletes,
    readAheadBytes,
    canHold,
    presigns,
    test(title, run) {
      it(title, () => runTest(harnessOf, run))
    },
    testShared(title, run) {
      if (shared) it(title, () => runTest(harnessOf, (harness) => withSecond(harness, run)))
    },
  }
  describe(`driver conformance: ${name}`, () => {
    for (const part of parts) part(suite)
  })
}

const parts = [
  describeObjects,
  describeKeys,
  describeConditions,
  describeStreams,
  describeRanges,
  describeCopies,
  describeLists,
  describeBuckets,
  describePresigning,
]

function withRoughTimes(harness: DriverHarness, slackMs: number): DriverHarness {
  const rough = roughTimes(slackMs)
  return {
    driver: rough(harness.driver),
    second: async () => rough(await openSecond(harness)),
    leftovers: () => harness.leftovers(),
    close: () => harness.close(),
  }
}

async function runTest(
  makeHarness: () => Promise<DriverHarness>,
  run: (harness: DriverHarness) => Promise<void>,
): Promise<void> {
  const harness = await makeHarness()
  try {
    await run(harness)
    const left = await harness.leftovers()
    if (left.length > 0) throw new Error(`left behind: ${left.join(', ')}`)
  } finally {
    await harness.close()
  }
}

async function withSecond(
  harness: DriverHarness,
  run: (harness: DriverHarness, other: Driver) => Promise<void>,
): Promise<void> {
  const other = await openSecond(harness)
  try {
    await run(harness, other)
  } finally {
    await other.close()
  }
}

async function openSecond(harness: DriverHarness): Promise<Driver> {
  if (harness.second === undefined)
    throw new Error('the harness of a driver that can be shared needs `second`')
  return await harness.second()
}
