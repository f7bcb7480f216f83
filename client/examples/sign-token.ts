/**
 * Signs a v1 token, the credential of Gaia's clients, good for one hour at one hub:
 *
 *     TOKEN=$(node build/client/examples/sign-token.js --hub http://localhost:3000 --key "$ALICE_KEY")
 */
import { parseArgs } from 'node:util'
import { mintV1Token } from '../v1-token.ts'
import { askHub } from './hub-info.ts'

const { values } = parseArgs({ options: { hub: { type: 'string' }, key: { type: 'string' } } })
const { hub, key } = values
if (hub === undefined || key === undefined) {
  process.stderr.write('usage: sign-token.js --hub <url> --key <private key in hex>\n')
  process.exit(2)
}
const { challenge_text: challengeText } = await askHub(hub)
const token = mintV1Token({ privateKey: key, challengeText, hubUrl: hub, lifetimeSeconds: 3600 })
process.stdout.write(`${token}\n`)
