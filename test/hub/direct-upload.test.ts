import { buffer } from 'node:stream/consumers'
import { expect } from 'chai'
import type { DriverHarness } from '../../drivers/conformance/index.ts'
import { type Driver, maxPresignSeconds, type PresignedUpload } from '../../drivers/driver.ts'
import { fileKey, parseAddress, parsePath } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { sendPresigned, uploadRequest } from '../../drivers/send-presigned.ts'
import { alice, bob, delegate, invoke, mallory, newOwner, v1 } from '../delegation/people.ts'
import { expectStatus, startWorld, suiteWorld, type World } from '../delegation/world.ts'
import { gcsHarness, presigning, withGcsServer } from '../drivers/gcs-harness.ts'
import { s3Harness } from '../drivers/s3-harness.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { can } from '../ucan/mint.ts'
import { type Persona, persona } from '../ucan/personas.ts'
import { faultyDriver, gate } from './faulty-driver.ts'
import { type Answer, encodePath, type HubOverrides } from './harness.ts'

/** Writes for others, with v1 tokens. */
const carol = persona('carol, who uploads', 'secp256k1')
const content = Buffer.from('a cat')
const described = { size: content.length, contentType: 'image/png' }
const directUpload = { thresholdBytes: 5_000_000, lifetimeSeconds: 60 }

interface Asked {
  as?: string
  headers?: Record<string, string>
  body?: unknown
}

function ask(
  world: World,
  owner: Persona,
  path: string,
  { body = described, ...rest }: Asked,
): Promise<Answer> {
  return world.send('POST', `/upload/${owner.address}/${encodePath(path)}`, {
    ...rest,
    body: JSON.stringify(body),
  })
}

/** The request that an answer tells a client to make. */
function uploadOf({ status, json, body }: Answer): PresignedUpload {
  expect(status, body.toString()).to.equal(200)
  const { method, url, headers, expires } = json as { [member: string]: unknown } & {
    url: string
    headers: Record<string, string>
    expires: number
  }
  expect(method).to.equal('PUT')
  return { method: 'PUT', url, headers, expiresMs: expires * 1000 }
}

async function send(answer: Answer, body = content, changes: Record<string, string | undefined> = {}) {
  const request = uploadRequest(uploadOf(answer), body, changes)
  return await sendPresigned(request).then(
    ({ status }) => status,
    () => 400,
  )
}

async function fileOf(driver: Driver, owner: Persona, path: string) {
  const found = await driver.read(fileKey(parseAddress(owner.address), parsePath(path)))
  return found === null ? null : { info: found.info, text: String(await buffer(found.body)) }
}

/** Storages that hold uploads to what was signed, each as it is. */
const storages: readonly [name: string, open: () => () => Promise<DriverHarness>][] = [
  [
    'Ceph',
    () => {
      before(async function () {
        this.timeout(installMs)
        await cephServer()
      })
      return () => s3Harness({ presign: true })
    },
  ],
  [
    'Cloud Storage',
    () => {
      const server = withGcsServer(presigning.server)
      return () => gcsHarness(server(), presigning.driver)
    },
  ],
]

for (const [name, open] of storages) {
  describe(`a direct upload to ${name}`, () => {
    const makeHarness = open()
    let harness: DriverHarness
    before(async () => {
      harness = await makeHarness()
    })
    after(() => harness.close())
    const suite = suiteWorld(() => ({ driver: harness.driver, directUpload }))

    it('becomes the file, with its type, at the URL that the hub tells', async () => {
      const { world } = suite
      const path = 'photos/my cat #1.png'
      const contentType = 'image/png; q="a, b"'
      const answer = await ask(world, alice, path, { as: v1(alice), body: { ...described, contentType } })
      expect(answer.json).to.include({
        publicURL: `http://127.0.0.1:1/${alice.address}/photos/my%20cat%20%231.png`,
      })
      expect(answer.headers.get('cache-control')).to.equal('no-store')
      const { expiresMs } = uploadOf(answer)
      expect(expiresMs - Date.now()).to.be.within(50_000, directUpload.lifetimeSeconds * 1000)
      expect(await send(answer)).to.equal(200)
      const file = await fileOf(harness.driver, alice, path)
      expect(file?.text).to.equal(String(content))
      expect(file?.info.contentType).to.equal(contentType)
    })

    it('may be empty, and has no type where none is told', async () => {
      const answer = await ask(suite.world, alice, 'empty', { as: v1(alice), body: { size: 0 } })
      expect(await send(answer, Buffer.alloc(0))).to.equal(200)
      const file = await fileOf(harness.driver, alice, 'empty')
      expect(file?.text).to.equal('')
      expect(file?.info.contentType).to.equal('application/octet-stream')
    })

    it('goes to one file: bob cannot bring it elsewhere, nor more, nor another type', async () => {
      const { world } = suite
      const owner = newOwner()
      const ucan = delegate(owner, bob, [
        can(owner, 'inbox/', 'gaia/store', { maxSize: 5, contentType: ['image/*'] }),
      ])
      expectStatus(await world.deposit(owner, { ucan }, { as: v1(owner) }), 201)
      expectStatus(await world.store(owner, 'outbox', { as: v1(owner) }), 202)
      const before = await world.snapshot(owner)

      const answer = await ask(world, owner, 'inbox/cat', { as: v1(bob) })
      const larger = Buffer.from('another cat')
      const moved = {
        ...answer,
        json: { ...answer.json, url: uploadOf(answer).url.replace('inbox/cat', 'outbox') },
      }
      expect(await send(moved)).to.be.within(400, 403)
      expect(await send(answer, larger, { 'content-length': String(larger.length) })).to.be.within(400, 403)
      expect(await send(answer, content, { 'content-type': 'text/html' })).to.be.within(400, 403)
      expect(await world.snapshot(owner)).to.deep.equal(before)
      expect(await send(answer)).to.equal(200)
      expect((await fileOf(harness.driver, owner, 'inbox/cat'))?.text).to.equal(String(content))
    })

    it('of bob, who may create only, replaces nothing, not even what came meanwhile', async () => {
      const { world } = suite
      const owner = newOwner()
      const ucan = delegate(owner, bob, [can(owner, '', 'gaia/store', { createOnly: true })])
      expectStatus(await world.deposit(owner, { ucan }, { as: v1(owner) }), 201)
      const answer = await ask(world, owner, 'f', { as: v1(bob) })
      expectStatus(await world.store(owner, 'f', { as: v1(owner), body: 'first' }), 202)
      expect(await send(answer)).to.equal(412)
      expect(await send(answer, content, { 'if-none-match': undefined })).to.be.within(400, 412)
      expect(await world.content(owner, 'f')).to.equal('first')
      expectStatus(await ask(world, owner, 'f', { as: v1(bob) }), 403, 'NotAuthorizedError')
    })

    it('is held to If-Match and If-None-Match when it comes', async () => {
      const { world } = suite
      const owner = newOwner()
      const creating = { as: v1(owner), headers: { 'If-None-Match': '*' } }
      const created = await ask(world, owner, 'f', creating)
      expect(await send(created)).to.equal(200)
      expect(await send(created, Buffer.from('again'))).to.equal(412)
      expectStatus(await ask(world, owner, 'f', creating), 412, 'PreconditionFailedError')

      const { json } = await world.list(owner, { as: v1(owner) }, { page: null, stat: true })
      const [{ etag } = { etag: '' }] = (json?.entries ?? []) as { etag: string }[]
      const replacing = { as: v1(owner), headers: { 'If-Match': etag } }
      const [one, other] = [
        await ask(world, owner, 'f', replacing),
        await ask(world, owner, 'f', { ...replacing, headers: { 'If-Match': etag.replaceAll('"', '') } }),
      ]
      expect(await send(one, Buffer.from('1....'))).to.equal(200)
      expect(await send(other, Buffer.from('2....'))).to.equal(412)
      expect(await world.content(owner, 'f')).to.equal('1....')
      const late = await ask(world, owner, 'f', replacing)
      expectStatus(late, 412, 'PreconditionFailedError')
      expect(late.json?.etag)
        .to.match(/^".+"$/)
        .and.not.equal(etag)
    })

    it('of an archival credential makes what is new, and replaces nothing', async () => {
      const { world } = suite
      const owner = newOwner()
      const as = v1(owner, { scopes: [{ scope: 'putFileArchival', domain: 'f' }] })
      const first = await ask(world, owner, 'f', { as })
      expectStatus(await world.store(owner, 'f', { as: v1(owner), body: 'meanwhile' }), 202)
      expect(await send(first)).to.equal(412)
      const before = await world.snapshot(owner)
      const answer = await ask(world, owner, 'f', { as })
      expectStatus(answer, 501, 'NotSupportedError')
      expect(answer.json?.message).to.match(/history/)
      expect(await world.snapshot(owner)).to.deep.equal(before)
    })
  })
}

describe('what a revocation does to a direct upload', () => {
  const server = withGcsServer(presigning.server)
  let harness: DriverHarness
  before(async () => {
    harness = await gcsHarness(server(), presigning.driver)
  })
  after(() => harness.close())

  it('stops the next one at once, and one that was allowed before when its time is over', async () => {
    const hubWith = (lifetimeSeconds: number) =>
      startWorld({ driver: harness.driver, directUpload: { ...directUpload, lifetimeSeconds } })
    const [world, hasty] = [await hubWith(60), await hubWith(1)]
    try {
      const ucan = delegate(alice, bob, [can(alice, '', 'gaia/store')])
      expectStatus(await world.deposit(alice, { ucan }, { as: v1(alice) }), 201)
      const early = await ask(world, alice, 'early', { as: v1(bob) })
      const late = await ask(hasty, alice, 'late', { as: v1(bob) })
      expectStatus(await world.revoke(alice, { ucan }, { as: v1(alice) }), 202)
      const refused = await ask(world, alice, 'early', { as: v1(bob) })
      expect([refused.status, refused.json?.code]).to.deep.equal([401, 'revoked'])
      // What the storage was told it goes by, until then.
      expect(await send(early)).to.equal(200)
      await new Promise((resolve) => setTimeout(resolve, 2_100))
      expect(await send(late)).to.be.within(400, 403)
      expect(await world.content(alice, 'late')).to.equal(null)
    } finally {
      await world.close()
      await hasty.close()
    }
  })
})

describe('a direct upload whose grant is revoked while it is looked at', () => {
  const server = withGcsServer(presigning.server)

  it('is refused', async () => {
    const harness = await gcsHarness(server(), presigning.driver)
    const slow = faultyDriver(harness.driver)
    const { presign } = harness.driver
    const world = await startWorld({ driver: { ...slow, ...(presign && { presign }) }, directUpload })
    try {
      const ucan = delegate(alice, bob, [can(alice, '', 'gaia/store')])
      expectStatus(await world.deposit(alice, { ucan }, { as: v1(alice) }), 201)
      const held = gate()
      slow.inject('stat', held.fault, (key) => key.endsWith('/f'))
      const asked = ask(world, alice, 'f', { as: v1(bob), headers: { 'If-None-Match': '*' } })
      await held.reached
      expectStatus(await world.revoke(alice, { ucan }, { as: v1(alice) }), 202)
      held.open()
      const { status, json } = await asked
      expect([status, json?.code]).to.deep.equal([401, 'revoked'])
    } finally {
      await world.close()
      await harness.close()
    }
  })
})

/** A request that both a store and a direct upload may be; what is asked of one is asked of the other. */
interface Row {
  title: string
  as: (owner: Persona) => string
  path?: string
  size?: number
  contentType?: string
  headers?: Record<string, string>
  /** Of the store. */
  status: number
}

const scoped = (scope: string, domain: string) => (owner: Persona) =>
  v1(owner, { scopes: [{ scope, domain }] })
const rows: readonly Row[] = [
  { title: 'the owner', as: (owner) => v1(owner), status: 202 },
  { title: 'an invocation of the owner', as: (owner) => invoke(owner, [can(owner, '', '*')]), status: 202 },
  { title: 'nobody', as: () => '', status: 401 },
  { title: 'a token that is none', as: () => 'v1:x', status: 401 },
  { title: 'mallory', as: () => v1(mallory), status: 401 },
  {
    title: 'mallory with an invocation',
    as: (owner) => invoke(mallory, [can(owner, '', 'gaia/store')]),
    status: 401,
  },
  { title: 'an expired token', as: (owner) => v1(owner, { exp: 1 }), status: 401 },
  { title: 'a token for another hub', as: (owner) => v1(owner, { gaiaChallenge: 'x' }), status: 401 },
  { title: 'a scope for the file', as: scoped('putFile', 'a/new'), status: 202 },
  { title: 'a scope for another file', as: scoped('putFile', 'a/other'), status: 401 },
  { title: 'a scope to delete', as: scoped('deleteFile', 'a/new'), status: 401 },
  { title: 'bob, within his grant', as: () => v1(bob), status: 202 },
  { title: 'bob, beside it', as: () => v1(bob), path: 'ab', status: 403 },
  { title: 'bob, with as much as he may', as: () => v1(bob), size: 10, status: 202 },
  { title: 'bob, with more than he may', as: () => v1(bob), size: 11, status: 403 },
  { title: 'bob, with another type', as: () => v1(bob), contentType: 'text/html', status: 403 },
  { title: 'bob, with two types', as: () => v1(bob), contentType: 'image/png, text/html', status: 403 },
  { title: 'carol, who may create only, something new', as: () => v1(carol), status: 202 },
  { title: 'carol, over a file', as: () => v1(carol), path: 'a/old', status: 403 },
  {
    title: 'carol, over a file, as she knows',
    as: () => v1(carol),
    path: 'a/old',
    headers: { 'If-None-Match': '*' },
    status: 412,
  },
  { title: 'carol, in place of a version', as: () => v1(carol), headers: { 'If-Match': '"x"' }, status: 403 },
  {
    title: 'a version that is not there',
    as: (owner) => v1(owner),
    headers: { 'If-Match': '"x"' },
    status: 412,
  },
  {
    title: 'one of several versions that are not there',
    as: (owner) => v1(owner),
    path: 'a/old',
    headers: { 'If-Match': '"x", "y"' },
    status: 412,
  },
  { title: 'any version', as: (owner) => v1(owner), headers: { 'If-Match': '*' }, status: 202 },
  {
    title: 'both conditions',
    as: (owner) => v1(owner),
    headers: { 'If-Match': '"x"', 'If-None-Match': '*' },
    status: 412,
  },
  {
    title: 'another If-None-Match',
    as: (owner) => v1(owner),
    headers: { 'If-None-Match': '"x"' },
    status: 412,
  },
  { title: 'more than the hub takes', as: (owner) => v1(owner), size: 1_048_577, status: 413 },
  {
    title: 'a type that is too long',
    as: (owner) => v1(owner),
    contentType: `a/${'b'.repeat(1023)}`,
    status: 400,
  },
  { title: 'a backslash', as: (owner) => v1(owner), path: 'a\\x', status: 403 },
  { title: 'a reserved name', as: (owner) => v1(owner), path: '.gaia-metadata/x', status: 403 },
  { title: 'a name that is too long', as: (owner) => v1(owner), path: 'x'.repeat(1025), status: 403 },
]

/** Words may differ: those of a failed condition are the driver's. */
function reasonOf({ json }: Answer) {
  return { ...json, message: typeof json?.message }
}

describe('a direct upload is allowed exactly where a store is', () => {
  const server = withGcsServer(presigning.server)
  let harness: DriverHarness
  before(async () => {
    harness = await gcsHarness(server(), presigning.driver)
  })
  after(() => harness.close())
  const suite = suiteWorld(() => ({ driver: harness.driver, directUpload }))

  /** Alike, about an address of its own each. */
  async function prepare(world: World): Promise<Persona> {
    const owner = newOwner()
    const grants = [
      delegate(owner, bob, [can(owner, 'a/', 'gaia/store', { maxSize: 10, contentType: ['image/*'] })]),
      delegate(owner, carol, [can(owner, '', 'gaia/store', { createOnly: true })]),
    ]
    for (const ucan of grants) expectStatus(await world.deposit(owner, { ucan }, { as: v1(owner) }), 201)
    expectStatus(await world.store(owner, 'a/old', { as: v1(owner), body: 'old' }), 202)
    return owner
  }

  for (const {
    title,
    as,
    path = 'a/new',
    size = 5,
    contentType = 'image/png',
    headers = {},
    status,
  } of rows) {
    it(`${title}: ${status}`, async () => {
      const { world } = suite
      const owner = await prepare(world)
      const before = await world.snapshot(owner)
      const target = `${owner.address}/${encodePath(path)}`
      const direct = await world.send('POST', `/upload/${target}`, {
        as: as(owner),
        headers,
        body: JSON.stringify({ size, contentType }),
      })
      expect(await world.snapshot(owner)).to.deep.equal(before)
      const stored = await world.send('POST', `/store/${target}`, {
        as: as(owner),
        headers: { 'Content-Type': contentType, ...headers },
        body: Buffer.alloc(size, 'x'),
      })
      expectStatus(stored, status)
      if (status === 202) expect(await send(direct, Buffer.alloc(size, 'x'))).to.be.oneOf([200, 412])
      else expect([direct.status, reasonOf(direct)]).to.deep.equal([status, reasonOf(stored)])
    })
  }

  it('the records of the hub are as far away as from a store: 404', async () => {
    for (const bucket of [`${alice.address}-auth`, `${alice.address}%2Dauth`]) {
      const target = `/upload/${bucket}/authTimestamp`
      expectStatus(
        await suite.world.send('POST', target, { as: v1(alice), body: JSON.stringify(described) }),
        404,
      )
    }
  })

  for (const [title, more, by, status] of [
    ['a whitelist without the owner', { whitelist: [bob.address] }, alice, 401],
    ['a profile with too few social proofs', { proofsRequired: 1 }, alice, 402],
  ] as const) {
    it(`${title}: ${status}`, async () => {
      const world = await startWorld({ driver: harness.driver, directUpload, ...more } as HubOverrides)
      try {
        expectStatus(await ask(world, by, 'f', { as: v1(by) }), status)
      } finally {
        await world.close()
      }
    })
  }

  for (const [title, body] of [
    ['no size', { contentType: 'a/b' }],
    ['a size below nothing', { size: -1 }],
    ['half a byte', { size: 1.5 }],
    ['a size in words', { size: '5' }],
    ['a size beyond numbers', { size: 1e300 }],
    ['a type that is no text', { size: 5, contentType: 5 }],
    ['a list', [5]],
  ] as const) {
    it(`${title}: 400`, async () => {
      expectStatus(await ask(suite.world, alice, 'f', { as: v1(alice), body }), 400, 'InvalidInputError')
    })
  }
})

describe('hub_info and direct uploads', () => {
  const server = withGcsServer(presigning.server)
  const told = async (overrides: HubOverrides) => {
    const world = await startWorld(overrides)
    try {
      const { json } = await world.send('GET', '/hub_info', {})
      const answer = await ask(world, alice, 'f', { as: v1(alice) })
      return { json, answer, stranger: await ask(world, alice, 'f', { as: v1(mallory) }) }
    } finally {
      await world.close()
    }
  }

  it('tell of each other where the storage holds them to what was signed', async () => {
    const harness = await gcsHarness(server(), presigning.driver)
    const { driver } = harness
    const { json, answer } = await told({
      driver,
      directUpload: { ...directUpload, lifetimeSeconds: maxPresignSeconds },
    })
    await harness.close()
    expect(json?.direct_upload_threshold).to.equal(5_000_000)
    expect(json?.extensions).to.include('direct-upload')
    const life = uploadOf(answer).expiresMs - Date.now()
    expect(life).to.be.within(maxPresignSeconds * 1000 - 10_000, maxPresignSeconds * 1000)
  })

  for (const [title, overrides] of [
    ['the storage can do nothing of the kind', async () => ({ driver: memoryDriver(), directUpload })],
    [
      'they are not configured',
      async () => ({ driver: (await gcsHarness(server(), presigning.driver)).driver }),
    ],
  ] as const) {
    it(`say so where ${title}: 501, after the credential was checked`, async () => {
      const options = await overrides()
      const { json, answer, stranger } = await told(options)
      await options.driver.close()
      expect(json?.direct_upload_threshold).to.equal(null)
      expect(json?.extensions).to.not.include('direct-upload')
      expectStatus(answer, 501, 'NotSupportedError')
      expect(answer.headers.get('access-control-allow-origin')).to.equal('*')
      expectStatus(stranger, 401)
    })
  }
})
