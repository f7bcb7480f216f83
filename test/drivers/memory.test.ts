import { driverConformance } from '../../drivers/conformance/index.ts'
import { memoryDriver } from '../../drivers/memory.ts'

driverConformance(
  'memory',
  async () => {
    const driver = memoryDriver()
    return { driver, leftovers: async () => [], close: () => driver.close() }
  },
  { shared: false, readAheadBytes: Number.POSITIVE_INFINITY },
)
