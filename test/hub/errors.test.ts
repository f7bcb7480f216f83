import { expect } from 'chai'
import { DriverError } from '../../drivers/errors.ts'
import { memoryDriver } from '../../drivers/memory.ts'
import { eventually } from './eventually.ts'
import { type DriverCall, type FaultyDriver, faultyDriver } from './faulty-driver.ts'
import { startHub, type TestHub } from './harness.ts'
import { alice, bob } from './people.ts'
import { openRaw, type RawAnswer, rawHead, sendRaw } from './raw.ts'
import { v1Token } from './tokens.ts'

/** What is asked of every refusal: one row of PROTOCOL 1.6, provoked from outside. */
interface Row {
  status: number
  error: string | undefined
  /** What brings it about. */
  by: string
  provoke: (hub: TestHub, driver: FaultyDriver) => Promise<RawAnswer>
  retryAfter?: true
}

const credential = { Authorization: `bearer ${v1Token(alice)}` }
const file = `/store/${alice.address}/f`

function post(hub: TestHub, target: string, headers: Record<string, string> = credential, body = 'x') {
  return sendRaw(hub.port, { method: 'POST', target, headers, body })
}

/** Storage fails in every call of a kind. */
function fail(call: DriverCall, error: Error) {
  return (hub: TestHub, driver: FaultyDriver) => {
    driver.inject(call, () => {
      throw error
    })
    return post(hub, file)
  }
}

const rows: Row[] = [
  {
    status: 400,
    error: 'InvalidInputError',
    by: 'JSON that is malformed',
    provoke: (hub) => post(hub, `/list-files/${alice.address}`, credential, '{'),
  },
  {
    status: 400,
    error: 'InvalidInputError',
    by: 'a page that no answer held',
    provoke: (hub) => post(hub, `/list-files/${alice.address}`, credential, '{"page":"nonsense"}'),
  },
  {
    status: 400,
    error: 'InvalidInputError',
    by: 'a Content-Type that is too long',
    provoke: (hub) => post(hub, file, { ...credential, 'Content-Type': 'x'.repeat(1025) }),
  },
  {
    status: 400,
    error: 'InvalidInputError',
    by: 'HTTP that is malformed',
    provoke: (hub) => post(hub, file, { ...credential, 'Bad Name': 'x' }),
  },
  { status: 401, error: 'ValidationError', by: 'no credential', provoke: (hub) => post(hub, file, {}) },
  {
    status: 401,
    error: 'AuthTokenTimestampValidationError',
    by: 'a token that was revoked',
    async provoke(hub) {
      await hub.revokeAll(1, { by: alice })
      return post(hub, file)
    },
  },
  {
    status: 402,
    error: 'NotEnoughProofError',
    by: 'an owner without proofs',
    async provoke(hub) {
      const strict = await startHub({ driver: hub.driver, proofsRequired: 1 })
      const answer = await post(strict, file)
      await strict.close()
      return answer
    },
  },
  {
    status: 403,
    error: 'BadPathError',
    by: 'a path out of the bucket',
    provoke: (hub) => post(hub, `/store/${alice.address}/../f`),
  },
  {
    status: 403,
    error: 'BadPathError',
    by: 'a name that storage cannot hold',
    provoke: fail('write', new DriverError('invalid_key', 'the name is too long')),
  },
  {
    status: 404,
    error: 'DoesNotExist',
    by: 'a delete of nothing',
    provoke: (hub) =>
      sendRaw(hub.port, { method: 'DELETE', target: `/delete/${alice.address}/f`, headers: credential }),
  },
  { status: 404, error: 'DoesNotExist', by: 'an unknown route', provoke: (hub) => post(hub, '/nowhere') },
  {
    status: 408,
    error: 'RequestTimeoutError',
    by: 'an upload that stands still',
    async provoke(hub) {
      const impatient = await startHub({ driver: hub.driver, idleTimeoutMs: 50 })
      const connection = openRaw(impatient.port)
      connection.write(rawHead('POST', file, { ...credential, 'Content-Length': '5' }))
      const answer = await connection.answer
      connection.socket.destroy()
      await impatient.close()
      return answer
    },
  },
  {
    status: 409,
    error: 'ConflictError',
    by: 'another upload at the path',
    async provoke(hub, driver) {
      const first = openRaw(hub.port)
      first.write(rawHead('POST', file, { ...credential, 'Content-Length': '5' }))
      await eventually(async () => {
        expect(driver.calls).to.include(`write ${alice.address}/f`)
      })
      return post(hub, file).finally(() => first.socket.destroy())
    },
  },
  {
    status: 409,
    error: 'ConflictError',
    by: 'storage that is busy with the name',
    provoke: fail('write', new DriverError('busy', 'held too long')),
  },
  {
    status: 412,
    error: 'PreconditionFailedError',
    by: 'a stale etag',
    provoke: (hub) => post(hub, file, { ...credential, 'If-Match': '"stale"' }),
  },
  {
    status: 413,
    error: 'PayloadTooLargeError',
    by: 'a length over the limit',
    provoke: (hub) => post(hub, file, { ...credential, 'Content-Length': '99999999' }),
  },
  {
    status: 431,
    error: 'HeadersTooLargeError',
    by: 'headers over the limit',
    provoke: (hub) => post(hub, file, { ...credential, X: 'x'.repeat(40 * 1024) }),
  },
  {
    status: 500,
    error: undefined,
    by: 'a fault that nobody foresaw',
    provoke: fail('write', new TypeError('a secret of the inside')),
  },
  {
    status: 500,
    error: undefined,
    by: 'such a fault while the credential is checked',
    provoke: fail('read', new TypeError('a secret of the inside')),
  },
  {
    status: 502,
    error: 'StorageError',
    by: 'storage that answers nonsense',
    retryAfter: true,
    provoke: fail('write', new DriverError('backend', 'nonsense')),
  },
  {
    status: 503,
    error: 'StorageError',
    by: 'storage that does not answer',
    retryAfter: true,
    provoke: fail('write', new DriverError('unavailable', 'no answer')),
  },
  {
    status: 503,
    error: 'StorageError',
    by: 'revocations that cannot be read',
    retryAfter: true,
    provoke: fail('read', new DriverError('unavailable', 'no answer')),
  },
]

describe('every refusal', () => {
  for (const { status, error, by, retryAfter, provoke } of rows) {
    it(`is told alike: ${status} ${error ?? ''} by ${by}`, async () => {
      const driver = faultyDriver(memoryDriver())
      const hub = await startHub({ driver })
      try {
        const answer = await provoke(hub, driver)
        expect(answer.status).to.equal(status)
        expect(answer.headers['content-type']).to.equal('application/json')
        expect(answer.headers['access-control-allow-origin']).to.equal('*')
        expect(answer.headers['x-content-type-options']).to.equal('nosniff')
        expect(answer.headers['cache-control']).to.equal('no-store')
        const body = answer.json()
        if (status === 500) expect(body).to.deep.equal({ message: 'Server Error' })
        else expect(body.error).to.equal(error)
        expect(body.message).to.match(/./)
        expect(answer.headers['retry-after'] !== undefined).to.equal(retryAfter === true)
        expect(answer.body).not.to.include('secret')
        expect(answer.body).not.to.include(v1Token(alice).slice(3, 30))
      } finally {
        await hub.close()
      }
    })
  }

  it('leaves the hub at work', async () => {
    const hub = await startHub()
    for (const { provoke, status } of rows) {
      if (status >= 500 || status === 408 || status === 409 || status === 402) continue
      await provoke(hub, faultyDriver(memoryDriver()))
    }
    expect((await hub.store('f', 'x', { by: bob })).status).to.equal(202)
    await hub.close()
  })
})

describe('the log', () => {
  it('names each request by route and owner, and holds neither path nor token', async () => {
    const hub = await startHub()
    await hub.store('a-private-name', 'a private content', { by: alice })
    await hub.send('GET', '/hub_info?private=1')
    await eventually(async () => {
      expect(hub.logs.filter((line) => line.includes('"request"'))).to.have.length(2)
    })
    const lines = hub.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map((line) => [line.route, line.address, line.status])).to.have.deep.members([
      ['store', alice.address, 202],
      ['hub_info', undefined, 200],
    ])
    expect(hub.logs.join('')).not.to.include('private')
    expect(hub.logs.join('')).not.to.include(v1Token(alice).slice(3, 30))
    await hub.close()
  })

  it('names a request by route and owner though its body cannot be read', async () => {
    const hub = await startHub()
    const target = `/list-files/${alice.address}`
    const encoded = { 'Content-Encoding': 'gzip' }
    expect((await hub.send('POST', target, { body: '{' })).status).to.equal(400)
    expect((await hub.send('POST', target, { body: '{}', headers: encoded })).status).to.equal(400)
    expect((await hub.send('POST', target, { body: 'x'.repeat(70_000) })).status).to.equal(413)
    await eventually(async () => {
      const lines = hub.logs.map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(lines.map((line) => [line.route, line.address])).to.deep.equal(
        Array(3).fill(['list-files', alice.address]),
      )
    })
    await hub.close()
  })

  it('tells of a fault that the answer does not tell of', async () => {
    const driver = faultyDriver(memoryDriver())
    const hub = await startHub({ driver })
    driver.inject('write', () => {
      throw new TypeError('a fault of the inside')
    })
    await hub.store('f', 'x', { by: alice })
    expect(hub.logs.join('')).to.include('a fault of the inside')
    await hub.close()
  })
})
