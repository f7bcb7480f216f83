import type { Logger } from 'pino'
import { describeError } from '../../../http/describe-error.ts'
import type { Config } from '../config/schema.ts'
import { type Certificate, fingerprint, readCertificate } from './certificate.ts'

export interface FollowOptions {
  files: Config['tlsCertConfig']
  /** The one in force. It may have been read some time ago, and its files have changed since. */
  first: Certificate
  logger: Logger
  /** Called with each certificate that takes the place of the one before. */
  onChange: (certificate: Certificate) => void
}

/** How often the files are looked at. One that has just changed must be the same at two looks: it may be half written. */
const lookEveryMs = 1_000

/** Takes up what is in the files when it changes; what cannot be used is told of, and changes nothing. */
export function followCertificate({ files, first, logger, onChange }: FollowOptions): { stop: () => void } {
  let inForce = first.fingerprint
  let lastSeen = inForce
  const timer = setInterval(() => {
    const seen = fingerprint(files)
    const isSettled = seen === lastSeen
    lastSeen = seen
    if (seen === null || !isSettled || seen === inForce) return
    inForce = seen
    try {
      const certificate = readCertificate(files)
      onChange(certificate)
      logger.info(expiryOf(certificate), 'a new certificate is in force')
    } catch (error) {
      logger.error(
        { err: describeError(error) },
        'the new certificate cannot be used; the former one stays in force',
      )
    }
  }, lookEveryMs)
  timer.unref()
  return { stop: () => clearInterval(timer) }
}

function expiryOf({ expiresMs }: Certificate): { expires?: string } {
  return expiresMs === null ? {} : { expires: new Date(expiresMs).toISOString() }
}
