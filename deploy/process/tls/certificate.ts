import { X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Config } from '../config/schema.ts'

type CertificateFiles = Config['tlsCertConfig']

/** A certificate with its key, found to fit each other. */
export interface Certificate {
  readonly context: SecureContextOptions
  /** When it expires, in milliseconds since 1970; `null` where the file does not tell without a handshake. */
  readonly expiresMs: number | null
  /** The {@link fingerprint} of its files from before they were read. */
  readonly fingerprint: string | null
}

/** @throws where a file cannot be read, or what is in it cannot be used; the message names no secret */
export function readCertificate(files: CertificateFiles): Certificate {
  const { certFile, keyFile, keyPassphrase, pfxFile, pfxPassphrase } = files
  const before = fingerprint(files)
  const context: SecureContextOptions =
    pfxFile === undefined
      ? { ...file('cert', certFile), ...file('key', keyFile), ...given('passphrase', keyPassphrase) }
      : { ...file('pfx', pfxFile), ...given('passphrase', pfxPassphrase) }
  // Throws where key and certificate do not belong together.
  createSecureContext(context)
  return { context, expiresMs: expiry(context.cert), fingerprint: before }
}

/**
 * A text that changes when a file does: also when a link in its path points elsewhere from now on, as those of certbot
 * and of Kubernetes do. `null` while one cannot be read.
 */
export function fingerprint({ certFile, keyFile, pfxFile }: CertificateFiles): string | null {
  try {
    return [certFile, keyFile, pfxFile]
      .filter((path) => path !== undefined)
      .map((path) => statSync(path))
      .map(({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`)
      .join()
  } catch {
    // It is between being removed and being there again.
    return null
  }
}

function file(name: 'cert' | 'key' | 'pfx', path: string | undefined): SecureContextOptions {
  return path === undefined ? {} : { [name]: readFileSync(path) }
}

function given(name: 'passphrase', value: string | undefined): SecureContextOptions {
  return value === undefined ? {} : { [name]: value }
}

function expiry(cert: SecureContextOptions['cert']): number | null {
  return Buffer.isBuffer(cert) ? Date.parse(new X509Certificate(cert).validTo) : null
}
