import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect } from 'chai'
import { DriverError } from '../../drivers/errors.ts'
import { authKey, parseAddress } from '../../drivers/key.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { eventually, sleep } from './eventually.ts'
import { faultyDriver, gate } from './faulty-driver.ts'
import { type Answer, fakeClock, type HubOverrides, startHub, type TestHub } from './harness.ts'
import { type Person, person } from './people.ts'
import { openRaw, rawHead } from './raw.ts'
import { associationJwt, legacyToken, v1Token } from './tokens.ts'

const clock = fakeClock()
const now = clock.seconds()

/** Every test has an owner of its own, since a timestamp only rises. */
let count = 0
function newOwner(): Person {
  count += 1
  return person(`owner ${count}`)
}

function recordKey(owner: Person) {
  return authKey(parseAddress(owner.address), 'authTimestamp')
}

function issuedAt(owner: Person, iat: unknown): string {
  return v1Token(owner, { iat })
}

function expectTooOld(answer: Answer): void {
  expect(answer.status).to.equal(401)
  expect(answer.json?.error).to.equal('AuthTokenTimestampValidationError')
}

describe('revoke-all', () => {
  const driver = faultyDriver(memoryDriver())
  const hubs: TestHub[] = []
  let hub: TestHub
  let owner: Person

  const start = async (overrides: HubOverrides = {}) => {
    const started = await startHub({ driver, clock, ...overrides })
    hubs.push(started)
    return started
  }
  before(async () => {
    hub = await start()
  })
  beforeEach(() => {
    owner = newOwner()
  })
  after(() => Promise.all(hubs.map((each) => each.close())))

  const store = (token: string, at = hub, body = 'x') => at.store('f', body, { at: owner, token })
  const stored = async (path = 'f') => {
    const { json } = await hub.list(
      { page: null, prefix: path },
      { at: owner, token: issuedAt(owner, now + 1e6) },
    )
    return json?.entries
  }
  const record = async () => {
    const found = await driver.read(recordKey(owner))
    return found === null ? null : text(found.body)
  }

  describe('takes', () => {
    for (const [value, seconds] of [
      [0, 0],
      [1, 1],
      [now, now],
      [now + 24 * 60 * 60, now + 24 * 60 * 60],
      [String(now), now],
      ['007', 7],
    ] as const) {
      it(`${JSON.stringify(value)} and keeps it as decimal text`, async () => {
        const answer = await hub.revokeAll(value, { by: owner })
        expect(answer.status).to.equal(202)
        expect(answer.json).to.deep.equal({ status: 'success' })
        expect(await record()).to.equal(String(seconds))
      })
    }
  })

  describe('refuses, and changes nothing', () => {
    for (const value of [
      clock.nowMs,
      String(clock.nowMs),
      now + 24 * 60 * 60 + 1,
      Number.MAX_SAFE_INTEGER,
      1e300,
      -1,
      '-1',
      1.5,
      '1.5',
      '1e9',
      '0x10',
      ' 1',
      '',
      'soon',
      null,
      true,
      [now],
      { seconds: now },
      undefined,
    ]) {
      it(`${JSON.stringify(value)}`, async () => {
        const answer = await hub.revokeAll(value, { by: owner })
        expect(answer.status).to.equal(400)
        expect(answer.json?.error).to.equal('InvalidInputError')
        expect(answer.json?.message).to.match(/"oldestValidTimestamp"/)
        expect(await record()).to.equal(null)
        expect((await store(v1Token(owner))).status).to.equal(202)
      })
    }
  })

  it('only rises: a lower one is answered 202 and changes nothing', async () => {
    await hub.revokeAll(now, { by: owner })
    const token = issuedAt(owner, now)
    for (const lower of [now - 1, 1, 0]) {
      expect((await hub.revokeAll(lower, { at: owner, token })).status).to.equal(202)
      expect(await record()).to.equal(String(now))
    }
    expectTooOld(await store(issuedAt(owner, now - 1)))
  })

  it('raises again', async () => {
    await hub.revokeAll(now - 100, { by: owner })
    expect((await hub.revokeAll(now, { at: owner, token: issuedAt(owner, now - 50) })).status).to.equal(202)
    expectTooOld(await store(issuedAt(owner, now - 50)))
  })

  it('cannot be undone with a token that it has revoked', async () => {
    await hub.revokeAll(now, { by: owner })
    for (const token of [v1Token(owner), issuedAt(owner, now - 1), legacyToken(owner)]) {
      expectTooOld(await hub.revokeAll(1, { at: owner, token }))
      expectTooOld(await hub.revokeAll(now + 10, { at: owner, token }))
    }
    expect(await record()).to.equal(String(now))
  })

  describe('afterwards', () => {
    beforeEach(() => hub.revokeAll(now, { by: owner }))

    for (const [what, token] of [
      ['without an iat', (by: Person) => v1Token(by)],
      ['with an iat just before', (by: Person) => issuedAt(by, now - 0.001)],
      ['with an iat that is a text', (by: Person) => issuedAt(by, String(now + 10))],
      ['with an iat that is null', (by: Person) => issuedAt(by, null)],
      ['with an iat that is true', (by: Person) => issuedAt(by, true)],
      ['of the legacy kind', (by: Person) => legacyToken(by)],
      [
        'with a fresh iat in its association only',
        (by: Person) => v1Token(by, { associationToken: associationJwt(by, by, { iat: now + 10 }) }),
      ],
    ] as const) {
      it(`refuses a token ${what}, for every operation`, async () => {
        const credential = { at: owner, token: token(owner) }
        expectTooOld(await hub.store('f', 'x', credential))
        expectTooOld(await hub.delete('f', credential))
        expectTooOld(await hub.list({ page: null }, credential))
        expectTooOld(await hub.revokeAll(now, credential))
      })
    }

    for (const iat of [now, now + 0.5, now + 1]) {
      it(`takes a token issued ${iat - now} s later`, async () => {
        expect((await store(issuedAt(owner, iat))).status).to.equal(202)
      })
    }

    it('leaves other owners alone', async () => {
      const other = newOwner()
      expect((await hub.store('f', 'x', { by: other })).status).to.equal(202)
    })

    it('holds after a restart', async () => {
      const restarted = await start()
      expectTooOld(await store(issuedAt(owner, now - 1), restarted))
      expect((await store(issuedAt(owner, now), restarted)).status).to.equal(202)
    })

    it('leaves the files as they are', async () => {
      const token = issuedAt(owner, now)
      await hub.store('kept', 'x', { at: owner, token })
      await hub.revokeAll(now + 1, { at: owner, token })
      expect(await stored('kept')).to.deep.equal(['kept'])
    })
  })

  describe('at another hub', () => {
    it('holds at once for an owner that it does not know yet', async () => {
      const other = await start({ revocationMaxAgeSeconds: 3600 })
      await hub.revokeAll(now, { by: owner })
      expectTooOld(await store(v1Token(owner), other))
    })

    it('holds within revocationMaxAge for one that it knows', async () => {
      const other = await start({ revocationMaxAgeSeconds: 0.2 })
      expect((await store(v1Token(owner), other)).status).to.equal(202)
      await hub.revokeAll(now, { by: owner })
      await sleep(200)
      expectTooOld(await store(v1Token(owner), other))
    })

    it('holds on the very next request where that is 0', async () => {
      const other = await start({ revocationMaxAgeSeconds: 0 })
      expect((await store(v1Token(owner), other)).status).to.equal(202)
      await hub.revokeAll(now, { by: owner })
      expectTooOld(await store(v1Token(owner), other))
      await hub.revokeAll(now + 5, { at: owner, token: issuedAt(owner, now) })
      expectTooOld(await store(issuedAt(owner, now), other))
    })

    it('is seen a second time too, though the first was remembered', async () => {
      const other = await start({ revocationMaxAgeSeconds: 0.2 })
      await hub.revokeAll(now - 100, { by: owner })
      expect((await store(issuedAt(owner, now - 50), other)).status).to.equal(202)
      await hub.revokeAll(now, { at: owner, token: issuedAt(owner, now) })
      await sleep(200)
      expectTooOld(await store(issuedAt(owner, now - 50), other))
    })

    it('ends at the highest when many hubs raise at the same time', async () => {
      const [second, third] = [await start(), await start()]
      const answers = await Promise.all(
        [hub, second, third, hub, second, third, hub, second, third].map((each, i) =>
          each.revokeAll(1000 + i, { by: owner }),
        ),
      )
      // Those that come late are refused by what the others have set.
      for (const answer of answers) expect(answer.status).to.be.oneOf([202, 401])
      const highest = Math.max(...answers.map((answer, i) => (answer.status === 202 ? 1000 + i : 0)))
      expect(await record()).to.equal(String(highest))
    })
  })

  describe('while an upload streams', () => {
    for (const [name, headers, parts] of [
      ['with a Content-Length', { 'Content-Length': '8' }, ['half', '-new']],
      ['in chunks', { 'Transfer-Encoding': 'chunked' }, ['4\r\nhalf\r\n', '4\r\n-new\r\n0\r\n\r\n']],
    ] as const) {
      it(`refuses it before it is committed, and the former version stays: ${name}`, async () => {
        await store(v1Token(owner), hub, 'the former version')
        const before = driver.calls.length
        const connection = openRaw(hub.port)
        connection.write(
          rawHead('POST', `/store/${owner.address}/f`, {
            Authorization: `bearer ${v1Token(owner)}`,
            ...headers,
          }),
        )
        connection.write(parts[0])
        await eventually(async () => {
          expect(driver.calls.slice(before)).to.include(`write ${owner.address}/f`)
        })
        expect((await hub.revokeAll(now, { by: owner })).status).to.equal(202)
        connection.write(parts[1])
        const answer = await connection.answer
        connection.socket.destroy()
        expect(answer.status).to.equal(401)
        expect(answer.json().error).to.equal('AuthTokenTimestampValidationError')
        const token = issuedAt(owner, now)
        const { json } = await hub.list({ page: null, stat: true }, { at: owner, token })
        expect(json?.entries).to.have.length(1)
        expect(json?.entries?.[0]).to.include({ contentLength: 'the former version'.length })
        expect((await store(token)).status).to.equal(202)
      })
    }

    it('refuses it at another hub too, once what that hub knows is too old', async () => {
      const other = await start({ revocationMaxAgeSeconds: 0 })
      const before = driver.calls.length
      const connection = openRaw(other.port)
      connection.write(
        rawHead('POST', `/store/${owner.address}/f`, {
          Authorization: `bearer ${v1Token(owner)}`,
          'Content-Length': '8',
        }),
      )
      connection.write('half')
      await eventually(async () => {
        expect(driver.calls.slice(before)).to.include(`write ${owner.address}/f`)
      })
      await hub.revokeAll(now, { by: owner })
      connection.write('-new')
      expect((await connection.answer).status).to.equal(401)
      connection.socket.destroy()
      expect(await stored()).to.deep.equal([])
    })
  })

  describe('where storage cannot tell', () => {
    const operations: [string, (at: TestHub) => Promise<Answer>][] = [
      ['store', (at) => at.store('f', 'x', { by: owner })],
      ['delete', (at) => at.delete('f', { by: owner })],
      ['list-files', (at) => at.list({ page: null }, { by: owner })],
      ['revoke-all', (at) => at.revokeAll(now, { by: owner })],
    ]
    for (const [fault, status] of [
      [new DriverError('unavailable', 'no answer'), 503],
      [new DriverError('backend', 'a strange answer'), 502],
      [new TypeError('a fault of the driver'), 500],
    ] as const) {
      for (const [operation, run] of operations) {
        it(`is ${status} for ${operation}, and nothing is let through: ${fault.message}`, async () => {
          const lift = driver.inject(
            'read',
            () => {
              throw fault
            },
            (key) => key === recordKey(owner),
          )
          const answer = await run(hub)
          lift()
          expect(answer.status).to.equal(status)
          if (status !== 500) expect(Number(answer.headers.get('retry-after'))).to.be.above(0)
          expect(await stored()).to.deep.equal([])
          // Nothing of it is remembered.
          expect((await store(v1Token(owner))).status).to.equal(202)
        })
      }
    }

    for (const content of [
      '',
      'abc',
      '1.5',
      '1e9',
      '12 34',
      '9'.repeat(16),
      'x'.repeat(1000),
      '{"a":1}',
      'NaN',
    ]) {
      it(`is 502 with a record that says nothing: ${JSON.stringify(content.slice(0, 20))}`, async () => {
        await driver.write(recordKey(owner), Readable.from([Buffer.from(content)]), {
          contentType: 'text/plain',
        })
        const answer = await store(issuedAt(owner, now))
        expect(answer.status).to.equal(502)
        expect(answer.json?.error).to.equal('StorageError')
        expect(Number(answer.headers.get('retry-after'))).to.be.above(0)
      })
    }

    it('takes a record with a line end, as an editor leaves it', async () => {
      await driver.write(recordKey(owner), Readable.from([Buffer.from(`${now}\n`)]), {
        contentType: 'text/plain',
      })
      expectTooOld(await store(issuedAt(owner, now - 1)))
      expect((await store(issuedAt(owner, now))).status).to.equal(202)
    })

    it('is 503 right before a commit too, and the former version stays', async () => {
      const strict = await start({ revocationMaxAgeSeconds: 0 })
      await store(v1Token(owner), strict, 'the former version')
      const before = driver.calls.length
      const connection = openRaw(strict.port)
      connection.write(
        rawHead('POST', `/store/${owner.address}/f`, {
          Authorization: `bearer ${v1Token(owner)}`,
          'Content-Length': '8',
        }),
      )
      connection.write('half')
      await eventually(async () => {
        expect(driver.calls.slice(before)).to.include(`write ${owner.address}/f`)
      })
      const lift = driver.inject(
        'read',
        () => {
          throw new DriverError('unavailable', 'no answer')
        },
        (key) => key === recordKey(owner),
      )
      connection.write('-new')
      expect((await connection.answer).status).to.equal(503)
      connection.socket.destroy()
      lift()
      const { json } = await hub.list({ page: null, stat: true }, { by: owner })
      expect(json?.entries?.[0]).to.include({ contentLength: 'the former version'.length })
    })

    it('is not answered before the timestamp is stored', async () => {
      const write = gate()
      const lift = driver.inject('write', write.fault, (key) => key === recordKey(owner))
      let answered = false
      const pending = hub.revokeAll(now, { by: owner }).then((answer) => {
        answered = true
        return answer
      })
      await write.reached
      await sleep(30)
      expect(answered).to.equal(false)
      write.open()
      lift()
      expect((await pending).status).to.equal(202)
    })
  })

  for (const body of ['', '{', '[]', '"x"', 'null', '1', '{"oldestValidTimestamp":}']) {
    it(`is 400 JSON with a body of ${JSON.stringify(body)}`, async () => {
      const answer = await hub.send('POST', `/revoke-all/${owner.address}`, { by: owner, body })
      expect(answer.status).to.equal(400)
      expect(answer.json?.error).to.equal('InvalidInputError')
      expect(await record()).to.equal(null)
    })
  }
})
