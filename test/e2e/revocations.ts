import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { asOwner, bob, delegate, newOwner, v1 } from '../delegation/people.ts'
import { eventually } from '../hub/eventually.ts'
import { can } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'
import { revocationMaxAgeMs, type ServerProcess } from './fleet.ts'
import { type JsonAnswer, post, postJson } from './http.ts'

/** A credential that works, and a way to end that. */
export interface Revocable {
  owner: Persona
  credential: string
  revoke(at: ServerProcess): Promise<void>
  /** One of the owner's that goes on working. */
  fresh: string
}

export interface Revocation {
  title: string
  prepare(owner: Persona, hub: ServerProcess): Promise<Revocable>
  /** What is answered from then on. */
  refusal: Record<string, unknown>
}

const revoked = { error: 'ValidationError', code: 'revoked' }

export const revocations: readonly Revocation[] = [
  {
    title: 'a grant, by its cid',
    refusal: revoked,
    async prepare(owner, hub) {
      const cid = await grantToBob(owner, hub)
      return revocable(owner, v1(bob), 'revoke', { cid })
    },
  },
  {
    title: "an owner's older token, by revoke-all",
    refusal: { error: 'AuthTokenTimestampValidationError' },
    async prepare(owner) {
      const aMinuteOld = v1(owner, { iat: nowSeconds() - 60 })
      return revocable(owner, aMinuteOld, 'revoke-all', { oldestValidTimestamp: nowSeconds() })
    },
  },
  {
    title: 'an older grant, by revoke-all',
    refusal: revoked,
    async prepare(owner, hub) {
      await grantToBob(owner, hub)
      return revocable(owner, v1(bob), 'revoke-all', { oldestValidTimestamp: nowSeconds() })
    },
  },
]

function revocable(owner: Persona, credential: string, call: string, body: unknown): Revocable {
  return {
    owner,
    credential,
    fresh: v1(owner, { iat: nowSeconds() }),
    async revoke({ url }) {
      const answer = await postJson(`${url}/${call}/${owner.address}`, asOwner(owner), body)
      expect(answer.status, JSON.stringify(answer)).to.equal(202)
    },
  }
}

/** What lets Bob store below photos/, made a minute ago. */
export function photosForBob(owner: Persona): string {
  const times = { issuedAt: nowSeconds() - 60, expiration: nowSeconds() + 3600 }
  return delegate(owner, bob, [can(owner, 'photos/', 'gaia/store')], times)
}

/** Deposits that; answers with its CID. */
async function grantToBob(owner: Persona, { url }: ServerProcess): Promise<string> {
  const ucan = photosForBob(owner)
  const answer = await postJson(`${url}/grant/${owner.address}`, asOwner(owner), { ucan })
  expect(answer.status, JSON.stringify(answer)).to.equal(201)
  return String(answer.body.cid)
}

export function storeAs(
  { owner, credential }: Pick<Revocable, 'owner' | 'credential'>,
  { url }: ServerProcess,
): Promise<JsonAnswer> {
  const headers = { authorization: `Bearer ${credential}` }
  return post(`${url}/store/${owner.address}/photos/a`, headers, 'x')
}

/** All of the hubs take it; those that have not heard of a new grant get the time that they may need. */
export async function expectTaken(made: Revocable, ...at: ServerProcess[]): Promise<void> {
  for (const hub of at) {
    await eventually(async () => {
      const answer = await storeAs(made, hub)
      expect(answer.status, JSON.stringify(answer)).to.equal(202)
    })
  }
}

export function expectRefused({ status, body }: JsonAnswer, { refusal }: Revocation): void {
  expect(status, JSON.stringify(body)).to.equal(401)
  expect(body).to.include(refusal)
}

/** Revoked at one hub, it is refused there at once, and at the others within the time that they may take. */
export async function expectToHold(
  revocation: Revocation,
  here: ServerProcess,
  ...others: ServerProcess[]
): Promise<void> {
  const made = await revocation.prepare(newOwner(), here)
  await expectTaken(made, here, ...others)
  await made.revoke(here)
  const revokedMs = performance.now()
  expectRefused(await storeAs(made, here), revocation)
  await Promise.all(others.map((there) => expectRefusedInTime(revocation, made, there, revokedMs)))
  await expectTaken({ ...made, credential: made.fresh }, here, ...others)
}

/** Once it is refused, it stays so. */
async function expectRefusedInTime(
  revocation: Revocation,
  made: Revocable,
  there: ServerProcess,
  revokedMs: number,
): Promise<void> {
  let refused = false
  let begunMs = 0
  while (begunMs < revocationMaxAgeMs + 300) {
    begunMs = performance.now() - revokedMs
    const answer = await storeAs(made, there)
    refused ||= answer.status !== 202 || begunMs >= revocationMaxAgeMs
    if (refused) expectRefused(answer, revocation)
    await sleep(20)
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}
