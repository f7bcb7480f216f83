import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** Makes a certificate that nobody has signed but itself, for the names, for a day. @returns paths of PEM files */
export async function makeCertificate(
  folder: string,
  names: readonly string[],
): Promise<{ certificate: string; key: string }> {
  const certificate = join(folder, 'certificate.pem')
  const key = join(folder, 'key.pem')
  const subject = `/CN=${names[0]}`
  const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`
  const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1'.split(' ')
  const options = ['-subj', subject, '-addext', alternatives, '-keyout', key, '-out', certificate]
  await promisify(execFile)('openssl', [...command, ...options])
  return { certificate, key }
}
