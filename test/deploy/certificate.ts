import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { debianProgram } from '../servers/debian-program.ts'

/** Makes a certificate that nobody has signed but itself, for the names, for so many days. @returns paths of PEM files */
export async function makeCertificate(
  folder: string,
  names: readonly string[],
  days = 1,
): Promise<{ certificate: string; key: string }> {
  const certificate = join(folder, 'certificate.pem')
  const key = join(folder, 'key.pem')
  const subject = `/CN=${names[0]}`
  const alternatives = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}`
  // Not by the configuration of the machine, which may have none.
  const command = `req -config /dev/null -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days ${days}`
  const extensions = ['-addext', alternatives, '-addext', 'basicConstraints=critical,CA:TRUE']
  const files = ['-keyout', key, '-out', certificate]
  const openssl = await debianProgram('openssl')
  await promisify(execFile)(openssl, [...command.split(' '), '-subj', subject, ...extensions, ...files])
  return { certificate, key }
}
