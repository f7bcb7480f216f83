/**
 * Makes a key for each name and prints it for a shell: private key, address, DID, and a v1 token for the hub, the one
 * that any Gaia client would send. The token is good for a day.
 *
 *     eval "$(node build/client/examples/make-people.js http://localhost:3000 ALICE BOB)"
 */
import { signV1Token } from '../index.ts'
import { askHub } from './hub-info.ts'
import { makePerson } from './person.ts'

const [hubUrl = '', ...names] = process.argv.slice(2)
if (!URL.canParse(hubUrl) || names.length === 0 || !names.every((name) => /^[A-Z][A-Z0-9_]*$/.test(name))) {
  process.stderr.write('usage: make-people.js <hub URL> <names in capital letters>\n')
  process.exit(2)
}
const { challenge_text: challengeText } = await askHub(hubUrl)
const issuedAt = Math.floor(Date.now() / 1000)
for (const name of names) {
  const { signer, privateKey, address, did } = makePerson()
  const token = await signV1Token(signer, { challengeText, hubUrl, issuedAt, lifetimeSeconds: 86_400 })
  process.stdout.write(`${name}_KEY=${privateKey}\n${name}_ADDRESS=${address}\n${name}_DID=${did}\n`)
  process.stdout.write(`${name}_TOKEN=${token}\n`)
}
