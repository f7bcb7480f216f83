import { makePerson, type Person } from '../../../client/examples/person.ts'
import { gaiaResource, signUcan, signV1Token } from '../../../client/index.ts'
import { json, textOf } from './answers.ts'
import type { Answer, Talk } from './talk.ts'

interface Writer extends Person {
  /** The header of a Gaia client: a v1 token of the key's own. */
  authorization: string
}

interface Stage {
  talk: Talk
  hubUrl: string
  hubDid: string
  readUrlPrefix: string
  alice: Writer
  bob: Writer
  carol: Writer
  /** Seconds since 1970. */
  now: number
}

const day = 86_400
const mebibyte = 1_048_576

/**
 * Plays how an owner lets others write and takes it back, against a hub that runs. @throws where a step does not do
 * what it says
 */
export async function playDelegation(talk: Talk, hubUrl: string): Promise<void> {
  const stage = await meet(talk, hubUrl)
  const { grant, cid } = await grantBob(stage)
  const carolsGrant = await handOn(stage, grant)
  await writeAsCarol(stage)
  await refuseMore(stage)
  const invocation = await invokeAsCarol(stage, carolsGrant)
  await revoke(stage, cid, invocation)
}

async function meet(talk: Talk, hubUrl: string): Promise<Stage> {
  talk.step('Three people meet: Alice, who owns an address, Bob and Carol')
  const info = json((await talk.send({ method: 'GET', url: `${hubUrl}/hub_info` }, 200)).text)
  const challengeText = textOf(info, 'challenge_text')
  const now = Math.floor(Date.now() / 1000)
  const meetOne = async (): Promise<Writer> => {
    const person = makePerson()
    const content = { challengeText, hubUrl, issuedAt: now, lifetimeSeconds: 600 }
    return { ...person, authorization: `bearer ${await signV1Token(person.signer, content)}` }
  }
  const [alice, bob, carol] = [await meetOne(), await meetOne(), await meetOne()]
  talk.say(`Alice ${alice.address}`)
  talk.say(`Bob   ${bob.did}`)
  talk.say(`Carol ${carol.did}`)
  const hubDid = textOf(info, 'hub_did')
  const readUrlPrefix = textOf(info, 'read_url_prefix')
  return { talk, hubUrl, hubDid, readUrlPrefix, alice, bob, carol, now }
}

async function grantBob(stage: Stage): Promise<{ grant: string; cid: string }> {
  const { talk, alice, bob, now } = stage
  talk.step('Alice grants Bob her photos/ for 30 days, and deposits the grant')
  const photos = gaiaResource(alice.address, 'photos/')
  const grant = await signUcan(alice.signer, {
    audience: bob.did,
    capabilities: [
      { with: photos, can: 'gaia/store' },
      { with: photos, can: 'gaia/grant' },
    ],
    issuedAt: now,
    expiration: now + 30 * day,
  })
  const answer = await post(stage, 'grant', alice, { ucan: grant }, 201)
  talk.say('Bob now writes there with a token of his own')
  await store(stage, bob.authorization, 'photos/cat.txt', 'a cat', 202)
  return { grant, cid: textOf(json(answer.text), 'cid') }
}

async function handOn(stage: Stage, proof: string): Promise<string> {
  const { talk, alice, bob, carol, now } = stage
  talk.step('Bob hands photos/2026/ on to Carol, for a day, with at most 1 MiB a file')
  const capability = { with: gaiaResource(alice.address, 'photos/2026/'), can: 'gaia/store' }
  const grant = await signUcan(bob.signer, {
    audience: carol.did,
    capabilities: [{ ...capability, nb: { maxSize: mebibyte } }],
    issuedAt: now,
    expiration: now + day,
    proofs: [proof],
  })
  await post(stage, 'grant', bob, { ucan: grant }, 201)
  return grant
}

async function writeAsCarol(stage: Stage): Promise<void> {
  const { talk, alice, carol } = stage
  talk.step('Carol writes, as any Gaia client does: her own token, the address of Alice')
  await store(stage, carol.authorization, 'photos/2026/sun.txt', 'a sun', 202)
  const url = `${stage.readUrlPrefix}${alice.address}/photos/2026/sun.txt`
  const answer = await talk.send({ method: 'GET', url }, 200)
  talk.check('it is there for all to read', answer.text === 'a sun')
}

async function refuseMore(stage: Stage): Promise<void> {
  const { talk, carol } = stage
  talk.step('Carol tries more than she was given')
  const elsewhere = await store(stage, carol.authorization, 'photos/cat.txt', 'no cat', 403)
  talk.check('another folder is not covered', codeOf(elsewhere) === 'not-covered')
  const large = 'x'.repeat(2 * mebibyte)
  const tooLarge = await store(stage, carol.authorization, 'photos/2026/big.txt', large, 403)
  talk.check('nor is a file of 2 MiB', codeOf(tooLarge) === 'not-covered')
}

async function invokeAsCarol(stage: Stage, proof: string): Promise<string> {
  const { talk, alice, carol, hubDid, now } = stage
  talk.step('Carol writes by an invocation: the request brings the whole chain, from Alice to her')
  const capability = { with: gaiaResource(alice.address, 'photos/2026/moon.txt'), can: 'gaia/store' }
  const invocation = await signUcan(carol.signer, {
    audience: hubDid,
    capabilities: [{ ...capability, nb: { maxSize: mebibyte } }],
    expiration: now + 300,
    proofs: [proof],
  })
  const authorization = `Bearer ucan:${invocation}`
  await store(stage, authorization, 'photos/2026/moon.txt', 'a moon', 202)
  return authorization
}

async function revoke(stage: Stage, cid: string, invocation: string): Promise<void> {
  const { talk, alice, bob, carol } = stage
  talk.step('Alice revokes what she granted Bob; all that rests on it ends with it')
  await post(stage, 'revoke', alice, { cid }, 202)
  const refusals = [
    await store(stage, bob.authorization, 'photos/cat.txt', 'another cat', 401),
    await store(stage, carol.authorization, 'photos/2026/sun.txt', 'another sun', 401),
    await store(stage, invocation, 'photos/2026/moon.txt', 'another moon', 401),
  ]
  talk.check(
    'each refusal says why',
    refusals.every((answer) => codeOf(answer) === 'revoked'),
  )
  const url = `${stage.readUrlPrefix}${alice.address}/photos/2026/sun.txt`
  const answer = await talk.send({ method: 'GET', url }, 200)
  talk.check('what Carol wrote before stays', answer.text === 'a sun')
}

function store(
  { talk, hubUrl, alice }: Stage,
  authorization: string,
  path: string,
  body: string,
  status: number,
): Promise<Answer> {
  const headers = { authorization, 'content-type': 'text/plain' }
  return talk.send({ method: 'POST', url: `${hubUrl}/store/${alice.address}/${path}`, headers, body }, status)
}

function post(
  { talk, hubUrl, alice }: Stage,
  operation: 'grant' | 'revoke',
  by: Writer,
  body: object,
  status: number,
): Promise<Answer> {
  const headers = { authorization: by.authorization, 'content-type': 'application/json' }
  const url = `${hubUrl}/${operation}/${alice.address}`
  return talk.send({ method: 'POST', url, headers, body: JSON.stringify(body) }, status)
}

function codeOf(answer: Answer): unknown {
  return json(answer.text).code
}
