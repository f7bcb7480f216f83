/**
 * Makes a secp256k1 key and prints it for a shell, with its address and its DID:
 *
 *     eval "$(node build/client/examples/make-key.js ALICE)"
 */
import { makePerson } from './person.ts'

const [name = ''] = process.argv.slice(2)
if (!/^[A-Z][A-Z0-9_]*$/.test(name)) {
  process.stderr.write('Say whose key it is, in capital letters: make-key.js ALICE\n')
  process.exit(2)
}
const { privateKey, address, did } = makePerson()
process.stdout.write(`${name}_KEY=${privateKey}\n${name}_ADDRESS=${address}\n${name}_DID=${did}\n`)
