import type { BuiltDriver } from '../process/config/values.ts'
import type { FunctionKind } from './start-function.ts'

/** Something to deploy: one server for one cloud. */
export interface Artefact {
  /** Of its folder and its zip. */
  name: string
  cloud: 'aws-lambda' | 'google-cloud' | 'azure'
  kind: FunctionKind
  /** The one storage of a cloud whose SDK is in it. */
  driver: BuiltDriver
  /** Whether the packages with native code are in it; else the platform installs them. */
  withPackages: boolean
}

const clouds = [
  { cloud: 'aws-lambda', driver: 's3', withPackages: true },
  { cloud: 'google-cloud', driver: 'gcs', withPackages: false },
  { cloud: 'azure', driver: 'azure', withPackages: true },
] as const

export const artefacts: readonly Artefact[] = clouds.flatMap((cloud) =>
  (['hub', 'reader'] as const).map((kind) => ({ ...cloud, kind, name: `${cloud.cloud}-${kind}` })),
)
