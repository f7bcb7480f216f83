import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'chai'
import { alice, newOwner, v1 } from '../delegation/people.ts'
import { tempFolder } from '../deploy/bins.ts'
import { filesBelow } from '../drivers/disk-harness.ts'
import { Fleet, onDisk, revocationMaxAgeMs, type ServerProcess } from './fleet.ts'
import { holdUpload, post, readFrom } from './http.ts'
import { overwrite, storeVersion, Watch } from './overwriting.ts'
import { expectRefused, expectTaken, expectToHold, revocations, storeAs } from './revocations.ts'

const races = 100
const kills = Number(process.env.MANDATE_CRASH_KILLS ?? 12)

describe('hubs and a reader as processes over one folder', () => {
  let data: string
  let fleet: Fleet
  let hubs: [ServerProcess, ServerProcess]
  let reader: ServerProcess

  before(async function () {
    this.timeout(60_000)
    data = await tempFolder()
    fleet = new Fleet(onDisk(data))
    const started = await Promise.all([fleet.hub(), fleet.hub(), fleet.reader()])
    hubs = [started[0], started[1]]
    reader = started[2]
  })
  after(async function () {
    this.timeout(60_000)
    await fleet.close()
  })

  describe('two hubs that get a store at the same path at the same time', () => {
    const authorization = `Bearer ${v1(alice)}`

    /** Both have the whole request but for its body; then both get that. Answers with the hub that won. */
    async function race(path: string, condition: Record<string, string>, number: number) {
      const target = `${alice.address}/${path}`
      const entries = hubs.map(({ url }, i) => ({
        hubUrl: url,
        target,
        headers: { authorization, ...condition, 'content-type': `of-hub/${i}` },
        // Some beyond 64 KiB, which the driver looks at before the body.
        body: Buffer.from(`hub ${i}, race ${number};`.repeat(1 + number * (i === 0 ? 50 : 70))),
      }))
      const uploads = await Promise.all(entries.map(holdUpload))
      // The one and the other is first by turns.
      for (const upload of number % 2 === 0 ? uploads : uploads.toReversed()) upload.release()
      const answers = await Promise.all(uploads.map(({ answer }) => answer))
      const told = JSON.stringify(answers)
      expect(
        answers.map(({ status }) => status).toSorted((a, b) => a - b),
        told,
      ).to.deep.equal([202, 412])

      const winner = answers.findIndex(({ status }) => status === 202)
      const etag = String(answers[winner]?.body.etag)
      const loser = answers[1 - winner]?.body
      expect(loser).to.include({ error: 'PreconditionFailedError', etag })
      const read = await readFrom(reader.url, target)
      expect(read).to.include({ status: 200, etag, contentType: `of-hub/${winner}` })
      expect(read.body.equals(entries[winner]?.body ?? Buffer.alloc(0)), 'the bytes of the winner').to.equal(
        true,
      )
      return { etag, winner }
    }

    it(`with one If-Match: one of them wins, in ${races} of ${races} races`, async () => {
      const target = `${alice.address}/raced`
      const first = await post(`${hubs[0].url}/store/${target}`, { authorization }, 'first')
      const winners = new Set<number>()
      let etag = String(first.body.etag)
      for (let number = 0; number < races; number++) {
        const won = await race('raced', { 'if-match': etag }, number)
        expect(won.etag).not.to.equal(etag)
        etag = won.etag
        winners.add(won.winner)
      }
      expect(winners, 'hubs that won a race').to.deep.equal(new Set([0, 1]))
    }).timeout(60_000)

    it(`with If-None-Match: *: one of them creates, in ${races} of ${races} races`, async () => {
      const winners = new Set<number>()
      for (let number = 0; number < races; number++) {
        winners.add((await race(`created/${number}`, { 'if-none-match': '*' }, number)).winner)
      }
      expect(winners, 'hubs that won a race').to.deep.equal(new Set([0, 1]))
    }).timeout(60_000)
  })

  describe('kill -9 of a hub during overwrites', () => {
    /** Hubs that start while another one writes, so that a kill need not wait for a start. */
    const ahead = 2

    async function crashAgainAndAgain(target: string, watch: Watch, first: number): Promise<void> {
      const authorization = `Bearer ${v1(alice)}`
      const next: Promise<ServerProcess>[] = []
      let version = first
      for (let kill = 0; kill < kills; kill++) {
        while (next.length <= Math.min(ahead, kills - 1 - kill)) next.push(fleet.hub())
        const hub = await (next.shift() ?? fleet.hub())
        const writing = overwrite(`${hub.url}/store/${target}`, authorization, watch, version)
        await Promise.race([writing.begun, writing.over])
        await Promise.race([sleep(Math.random() * 60), writing.over])
        writing.expectEnd()
        const [last] = await Promise.all([writing.over, hub.end('SIGKILL')])
        await watch.look()
        // What was under way at the kill may be there or not; nobody sends that version again.
        version = last + 1
      }
    }

    it(`leaves a whole version with its own type and etag, and none that was answered is lost, ${kills} times`, async () => {
      const target = `${alice.address}/folder/overwritten`
      const watch = new Watch(reader.url, target)
      await storeVersion(`${hubs[0].url}/store/${target}`, `Bearer ${v1(alice)}`, watch, 1)
      await watch.during(crashAgainAndAgain(target, watch, 2))
      expect(watch.newest).to.be.greaterThan(kills)
      expect(watch.looks).to.be.greaterThan(kills)

      await fleet.hub()
      const temp = await filesBelow(join(data, '.mandate/tmp'))
      expect(
        temp.filter((path) => !path.endsWith('/lock')),
        'temp files of the dead',
      ).to.deep.equal([])
    }).timeout(60_000 + kills * 5000)
  })

  describe('what was revoked at one hub', () => {
    for (const [i, revocation] of revocations.entries()) {
      it(`${revocation.title}: refused there at once, and at the other hub within ${revocationMaxAgeMs} ms`, async () => {
        const [here, there] = i % 2 === 0 ? hubs : [hubs[1], hubs[0]]
        await expectToHold(revocation, here, there)
      }).timeout(20_000)
    }

    it('stays revoked when both hubs end right after the answer, one by kill -9, and start anew', async () => {
      const [here, there] = hubs
      const made = await Promise.all(
        revocations.map(async (revocation) => {
          const prepared = await revocation.prepare(newOwner(), here)
          await expectTaken(prepared, here, there)
          return { ...prepared, revocation }
        }),
      )
      await Promise.all(made.map((each) => each.revoke(here)))
      await Promise.all([here.end('SIGKILL'), there.end('SIGTERM')])
      hubs = await Promise.all([fleet.hub(), fleet.hub()])
      for (const each of made) {
        for (const hub of hubs) expectRefused(await storeAs(each, hub), each.revocation)
        await expectTaken({ ...each, credential: each.fresh }, ...hubs)
      }
    }).timeout(60_000)
  })
})
