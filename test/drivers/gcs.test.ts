import { driverConformance } from '../../drivers/conformance/index.ts'
import { canHold } from '../../drivers/gcs/object-info.ts'
import { gcsHarness, withGcsServer } from './gcs-harness.ts'

describe('Google Cloud Storage', () => {
  const server = withGcsServer()
  driverConformance('gcs', () => gcsHarness(server()), { canHold })
})
