import { expect } from 'chai'
import { asOwner, bob, delegate, newOwner, v1 } from '../delegation/people.ts'
import { eventually } from '../hub/eventually.ts'
import { cephServer, installMs } from '../servers/ceph.ts'
import { makeBucket, type TestBucket } from '../servers/s3-bucket.ts'
import { can } from '../ucan/mint.ts'
import { Tally } from './attempts.ts'
import { Counters } from './counters.ts'
import { Crew } from './crew.ts'
import { Fleet, revocationMaxAgeMs, type ServerProcess } from './fleet.ts'
import { postJson } from './http.ts'
import { NewFiles } from './new-files.ts'
import { expectToHold, photosForBob, revocations, storeAs } from './revocations.ts'

/** How long the hubs are killed and started anew. */
const loadSeconds = Number(process.env.MANDATE_FLEET_SECONDS ?? 6)
const mebi = 1024 * 1024

describe('three hubs and a reader as processes over one S3 bucket', () => {
  let bucket: TestBucket
  let fleet: Fleet
  let crew: Crew
  let reader: ServerProcess

  before(async function () {
    this.timeout(installMs)
    const server = await cephServer()
    bucket = await makeBucket(server)
    fleet = new Fleet({ driver: 's3', bucket: bucket.name, awsCredentials: server })
    const [started, read] = await Promise.all([Crew.start(fleet, 3), fleet.reader()])
    crew = started
    reader = read
  })
  after(async function () {
    this.timeout(60_000)
    await fleet?.close()
    await bucket?.remove()
  })

  for (const [i, revocation] of revocations.entries()) {
    it(`${revocation.title}: refused at one hub at once, and at the others within ${revocationMaxAgeMs} ms`, async () => {
      const here = crew.all[i % crew.all.length] ?? crew.any()
      const others = crew.all.filter((hub) => hub !== here)
      await expectToHold(revocation, here, ...others)
    }).timeout(20_000)
  }

  it('one grant deposited at all hubs at once is new at one of them, and works at all', async () => {
    for (let round = 0; round < 5; round++) {
      const owner = newOwner()
      const ucan = photosForBob(owner)
      const answers = await Promise.all(
        crew.all.map(({ url }) => postJson(`${url}/grant/${owner.address}`, asOwner(owner), { ucan })),
      )
      const statuses = answers.map(({ status }) => status).toSorted((a, b) => a - b)
      expect(statuses, JSON.stringify(answers)).to.deep.equal([200, 200, 201])
      expect(new Set(answers.map(({ body }) => body.cid)).size).to.equal(1)
      for (const hub of crew.all) {
        const answer = await storeAs({ owner, credential: v1(bob) }, hub)
        expect(answer.status, JSON.stringify(answer)).to.equal(202)
      }
    }
  }).timeout(20_000)

  it('of many grants deposited at different hubs at once none is lost', async () => {
    const owner = newOwner()
    const deposits = Array.from({ length: 24 }, async (_, n) => {
      const ucan = delegate(owner, bob, [can(owner, `photos/${n}/`, 'gaia/store')])
      const hub = crew.all[n % crew.all.length] ?? crew.any()
      const answer = await postJson(`${hub.url}/grant/${owner.address}`, asOwner(owner), { ucan })
      expect(answer.status, JSON.stringify(answer)).to.equal(201)
      return String(answer.body.cid)
    })
    const cids = (await Promise.all(deposits)).toSorted()
    for (const { url } of crew.all) {
      await eventually(async () => {
        const { body } = await postJson(`${url}/list-grants/${owner.address}`, asOwner(owner), {})
        const entries = body.entries as { cid: string }[]
        expect(entries.map(({ cid }) => cid).toSorted()).to.deep.equal(cids)
      })
    }
  }).timeout(20_000)

  it(`killed and started anew for ${loadSeconds} s, lose nothing that was answered, and tear nothing`, async () => {
    const tally = new Tally()
    const counters = new Counters(crew, reader.url, tally, 4)
    const files = new NewFiles(crew, reader.url, tally)
    const endMs = performance.now() + loadSeconds * 1000
    const isOver = () => performance.now() >= endMs
    // Beyond 8 MiB a body goes another way. The server keeps all of them in memory.
    const large = (n: number) => (n > 100 ? 1 : n % 2 === 0 ? 9 : 5) * mebi + n
    await Promise.all([
      crew.churn(isOver),
      ...Array.from({ length: 8 }, (_, i) => counters.count(`w${i}`, isOver)),
      ...Array.from({ length: 4 }, (_, i) => files.store(`small-${i}`, (n) => (n * 7919) % 50_000, isOver)),
      files.store('large', large, isOver),
    ])
    await counters.check()
    await files.check()

    const told = JSON.stringify({
      ...tally.counts,
      ...crew.ended,
      counted: counters.total,
      files: files.size,
    })
    if (process.env.MANDATE_FLEET_SECONDS !== undefined) process.stderr.write(`${told}\n`)
    expect(crew.ended.SIGKILL + crew.ended.SIGTERM, told).to.be.above(0)
    expect(counters.total, told).to.be.above(loadSeconds)
    expect(tally.counts['412'], told).to.be.above(0)
  }).timeout(60_000 + loadSeconds * 3000)
})
