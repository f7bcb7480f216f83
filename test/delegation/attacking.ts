import { expect } from 'chai'
import type { Answer } from '../hub/harness.ts'
import { base64url, can, compose, hubDid, type MintOptions, signJws } from '../ucan/mint.ts'
import type { Persona } from '../ucan/personas.ts'
import { alice, asOwner, bob, delegate, invoke, type TokenChanges } from './people.ts'
import { type Ask, expectRefused, expectStatus, type Refusal, suiteWorld, type World } from './world.ts'

/** One attempt to do at Alice's address what nobody was allowed to. */
export interface Attack extends Ask {
  name: string
  /** What is tried; to overwrite Alice's `photos/a` where nothing else is said. */
  attempt?: (world: World, ask: Ask) => Promise<Answer>
  refused: Refusal | { status: number; error: string }
}

export const photos = [can(alice, 'photos/', 'gaia/store')]
export const everything = [can(alice, '', '*')]

/** What Alice gave to Bob. */
export const toBob = delegate(alice, bob, photos)

/** An invocation of Bob's on what Alice gave him, with something changed. */
export function byBob(changes: TokenChanges = {}): string {
  return invoke(bob, photos, { proofs: [toBob], ...changes })
}

/** An invocation of Bob's on a grant of Alice's with something changed. */
export function onGrant(changes: Partial<MintOptions>, version: MintOptions['version'] = '0.8.1'): string {
  const proof = delegate(alice, bob, photos, { version, ...changes })
  return invoke(bob, photos, { version, proofs: [proof] })
}

/** A token whose payload is this text, properly signed. */
export function withPayload(
  issuer: Persona,
  change: (text: string) => string,
  options: TokenChanges = {},
): string {
  const { header, payload } = compose({ issuer, audience: hubDid, capabilities: photos, ...options })
  return signJws(JSON.stringify(header), change(JSON.stringify(payload)), issuer)
}

export function withHeader(
  issuer: Persona,
  change: (text: string) => string,
  options: TokenChanges = {},
): string {
  const { header, payload } = compose({ issuer, audience: hubDid, capabilities: photos, ...options })
  return signJws(change(JSON.stringify(header)), JSON.stringify(payload), issuer)
}

/** A token with other bytes in the place of its signature. */
export function resigned(jwt: string, change: (signature: Buffer) => Uint8Array): string {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  return `${header}.${payload}.${base64url(change(Buffer.from(signature, 'base64url')))}`
}

export function bare(credential: string): string {
  return credential.slice(credential.indexOf(':') + 1)
}

/**
 * Runs each attack against a hub at which Alice has a file; it must be told why, and find all as it was.
 * @param prepare what happens before the first one
 */
export function attacks(
  title: string,
  rows: readonly Attack[],
  prepare: (world: World) => Promise<unknown> = () => Promise.resolve(),
): void {
  describe(title, () => {
    const suite = suiteWorld()
    before(async () => {
      for (const path of ['photos/a', 'notes']) {
        expectStatus(await suite.world.store(alice, path, { as: asOwner(alice), body: 'kept' }), 202)
      }
      await prepare(suite.world)
    })

    for (const { name, attempt = overwrite, refused, ...ask } of rows) {
      it(`${name}: ${'code' in refused ? refused.code : refused.status}`, async () => {
        const { world } = suite
        const before = await world.snapshot(alice)
        const answer = await attempt(world, ask)
        if ('code' in refused) expectRefused(answer, refused)
        else expectStatus(answer, refused.status, refused.error)
        expect(await world.snapshot(alice)).to.deep.equal(before)
      })
    }

    it('leaves honest writers where they were', async () => {
      expectStatus(await suite.world.store(alice, 'photos/b', { as: byBob() }), 202)
      expect(await suite.world.content(alice, 'photos/a')).to.equal('kept')
    })
  })
}

export function overwrite(world: World, ask: Ask): Promise<Answer> {
  return world.store(alice, 'photos/a', { ...ask, body: 'stolen' })
}

export function storing(path: string): NonNullable<Attack['attempt']> {
  return (world, ask) => world.store(alice, path, { ...ask, body: 'stolen' })
}

export function deleting(path: string): NonNullable<Attack['attempt']> {
  return (world, ask) => world.delete(alice, path, ask)
}

export const listing: NonNullable<Attack['attempt']> = (world, ask) => world.list(alice, ask)
