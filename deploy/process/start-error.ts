/** Why a server does not start: `configuration` ends the process with status 2, `start` with 1. */
export class StartError extends Error {
  readonly kind: 'configuration' | 'start'

  constructor(kind: 'configuration' | 'start', message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StartError'
    this.kind = kind
  }
}
