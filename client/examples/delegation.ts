/**
 * Alice lets Bob write to her photos, Bob lets Carol write to those of 2026, and Alice takes it back.
 *
 *     node build/client/examples/delegation.js http://localhost:3000
 *
 * Ends with status 1 where the hub answers anything but what is expected here.
 */
import { gaiaResource, issueUcan } from '../ucan.ts'
import { mintV1Token } from '../v1-token.ts'
import { askHub } from './hub-info.ts'
import { makePerson, type Person } from './person.ts'

const hubUrl = process.argv[2] ?? 'http://localhost:3000'
const hub = await askHub(hubUrl)
const [alice, bob, carol] = [makePerson(), makePerson(), makePerson()]
const now = Math.floor(Date.now() / 1000)
const day = 86_400

// Alice grants Bob her photos for 30 days. With gaia/grant he can deposit what he hands on.
const photos = gaiaResource(alice.address, 'photos/')
const bobsGrant = issueUcan({
  issuerPrivateKeyHex: alice.privateKey,
  audience: bob.did,
  capabilities: [
    { with: photos, can: 'gaia/store' },
    { with: photos, can: 'gaia/grant' },
  ],
  issuedAt: now,
  expiration: now + 30 * day,
})
const { cid } = await expectStatus(201, 'Alice deposits a grant', post('grant', alice, { ucan: bobsGrant }))
await expectStatus(202, 'Bob writes', store(bob, 'photos/cat.txt', 'a cat'))
await expectStatus(403, 'Bob writes elsewhere', store(bob, 'diary.txt', 'dear diary'))

// Bob hands on less than he has: one folder, one day, 1 MiB a file.
const photos2026 = {
  with: gaiaResource(alice.address, 'photos/2026/'),
  can: 'gaia/store',
  nb: { maxSize: 1_048_576 },
}
const carolsGrant = issueUcan({
  issuerPrivateKeyHex: bob.privateKey,
  audience: carol.did,
  capabilities: [photos2026],
  issuedAt: now,
  expiration: now + day,
  proofs: [bobsGrant],
})
await expectStatus(201, 'Bob deposits a grant', post('grant', bob, { ucan: carolsGrant }))

// As a client writes that knows nothing of UCAN: the writer's own token, the owner's address.
await expectStatus(202, 'Carol writes', store(carol, 'photos/2026/sun.txt', 'a sun'))
await expectStatus(403, 'Carol writes elsewhere', store(carol, 'photos/cat.txt', 'no cat'))
await expectStatus(403, 'Carol writes 2 MiB', store(carol, 'photos/2026/big.txt', 'x'.repeat(2_097_152)))

// With an invocation nothing needs to be deposited: the request carries the chain.
const invocation = issueUcan({
  issuerPrivateKeyHex: carol.privateKey,
  audience: hub.hub_did,
  capabilities: [photos2026],
  expiration: now + 300,
  proofs: [carolsGrant],
})
const asCarol = `Bearer ucan:${invocation}`
await expectStatus(202, 'Carol invokes', store(carol, 'photos/2026/moon.txt', 'a moon', asCarol))

// Alice ends Bob's delegation, and with it whatever rests on it.
await expectStatus(202, 'Alice revokes', post('revoke', alice, { cid }))
await expectStatus(401, 'Bob writes', store(bob, 'photos/cat.txt', 'another cat'))
await expectStatus(401, 'Carol writes', store(carol, 'photos/2026/sun.txt', 'another sun'))
await expectStatus(401, 'Carol invokes', store(carol, 'photos/2026/moon.txt', 'another moon', asCarol))

function store(by: Person, path: string, body: string, authorization = tokenOf(by)): Promise<Response> {
  const headers = { authorization, 'content-type': 'text/plain' }
  return fetch(`${hubUrl}/store/${alice.address}/${path}`, { method: 'POST', headers, body })
}

function post(operation: 'grant' | 'revoke', by: Person, body: object): Promise<Response> {
  const headers = { authorization: tokenOf(by), 'content-type': 'application/json' }
  const url = `${hubUrl}/${operation}/${alice.address}`
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })
}

/** The header of a Gaia client: a v1 token of the key's own. */
function tokenOf({ privateKey }: Person): string {
  const challengeText = hub.challenge_text
  return `bearer ${mintV1Token({ privateKey, challengeText, hubUrl, lifetimeSeconds: 600 })}`
}

/** What the hub says: the members of its answers that are used or told here. */
interface Answer {
  cid?: string
  code?: string
}

async function expectStatus(status: number, what: string, request: Promise<Response>): Promise<Answer> {
  const response = await request
  const answer = (await response.json()) as Answer
  console.log(`${response.status} ${what}${answer.code === undefined ? '' : `: ${answer.code}`}`)
  if (response.status !== status) throw new Error(`${what}: expected ${status}: ${JSON.stringify(answer)}`)
  return answer
}
