/**
 * Signs a UCAN. A delegation is made out to the DID of a writer, an invocation to a hub, by its URL:
 *
 *     sign-ucan.js --key "$ALICE_KEY" --to "$BOB_DID" --with "gaia://$ALICE_ADDRESS/photos/" --can gaia/store --days 30
 *     sign-ucan.js --key "$BOB_KEY" --to http://localhost:3000 --with … --can gaia/store --minutes 5 --proof "$GRANT"
 *
 * `--can` and `--proof` may stand several times; `--max-size` (bytes) and `--content-type` narrow `gaia/store`.
 */
import { parseArgs } from 'node:util'
import { signUcan, stacksSigner, type UcanCapability } from '../index.ts'
import { askHub } from './hub-info.ts'

const text = { type: 'string' } as const
const texts = { type: 'string', multiple: true, default: [] as string[] } as const
const { values } = parseArgs({
  options: {
    key: text,
    to: text,
    with: text,
    can: texts,
    proof: texts,
    'content-type': texts,
    'max-size': text,
    days: text,
    minutes: text,
  },
})

const { key, to, with: resource, can, proof, days, minutes } = values
if (key === undefined || to === undefined || resource === undefined || can.length === 0) {
  process.stderr.write(
    'usage: sign-ucan.js --key <hex> --to <DID or hub URL> --with <gaia://…> --can <ability>\n',
  )
  process.exit(2)
}
const now = Math.floor(Date.now() / 1000)
const lifetimeSeconds = days === undefined ? Number(minutes ?? 60) * 60 : Number(days) * 86_400
const ucan = await signUcan(stacksSigner(key), {
  audience: to.startsWith('did:') ? to : (await askHub(to)).hub_did,
  capabilities: can.map((ability) => capability(resource, ability)),
  expiration: now + lifetimeSeconds,
  issuedAt: now,
  proofs: proof,
})
process.stdout.write(`${ucan}\n`)

/** Only a store can be narrowed by the size and the type of a file. */
function capability(resource: string, ability: string): UcanCapability {
  const { 'max-size': maxSize, 'content-type': contentType } = values
  const caveats = {
    ...(maxSize === undefined ? {} : { maxSize: Number(maxSize) }),
    ...(contentType.length === 0 ? {} : { contentType }),
  }
  const isNarrowed = ability === 'gaia/store' && Object.keys(caveats).length > 0
  return { with: resource, can: ability, ...(isNarrowed ? { nb: caveats } : {}) }
}
