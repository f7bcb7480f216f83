import { driverConformance } from '../../drivers/conformance/index.ts'
import { diskHarness } from './disk-harness.ts'

driverConformance('disk', () => diskHarness())
driverConformance('disk without extended attributes', () => diskHarness({ attributes: false }))
driverConformance('disk without syncs', () => diskHarness({ durability: 'none' }))
