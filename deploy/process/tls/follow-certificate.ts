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
  /** Milliseconds since 1970. */
  now?: () => number
}

/** How often the files are looked at. One that has just changed must be the same at two looks: it may be half written. */
const lookEveryMs = 1_000

/**
 * Takes up what is in the files when it changes; what cannot be used, or has expired where the one in force has not, is
 * told of, and changes nothing.
 */
export function followCertificate(options: FollowOptions): { stop: () => void } {
  const { files, first, logger, onChange, now = Date.now } = options
  const hasExpired = ({ expiresMs }: Certificate) => expiresMs !== null && expiresMs <= now()
  if (hasExpired(first)) logger.warn(expiryOf(first), 'the certificate has expired')
  let inForce = first
  let lastRead = first.fingerprint
  let lastSeen = lastRead
  const timer = setInterval(() => {
    const seen = fingerprint(files)
    const isSettled = seen === lastSeen
    lastSeen = seen
    if (seen === null || !isSettled || seen === lastRead) return
    lastRead = seen
    try {
      const certificate = readCertificate(files)
      if (hasExpired(certificate) && !hasExpired(inForce)) {
        logger.warn(expiryOf(certificate), 'the new certificate has expired; the former one stays in force')
        return
      }
      inForce = certificate
      onChange(certificate)
      if (hasExpired(certificate))
        logger.warn(expiryOf(certificate), 'a new certificate is in force, and has expired')
      else logger.info(expiryOf(certificate), 'a new certificate is in force')
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
