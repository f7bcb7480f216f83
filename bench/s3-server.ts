/**
 * The S3 server under measurement: the Ceph gateway of the tests, in processes of their own which begin where this
 * one runs. Prints where it is, as JSON, and ends with its standard input.
 */
import { cephServer } from '../test/servers/ceph.ts'

const server = await cephServer()
process.stdout.write(`${JSON.stringify(server)}\n`)
process.stdin.on('end', () => process.exit()).resume()
