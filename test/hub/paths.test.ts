import { expect } from 'chai'
import { suiteHub } from './harness.ts'
import { alice } from './people.ts'
import { type RawAnswer, sendRaw } from './raw.ts'
import { v1Token } from './tokens.ts'

/** What a name looks like in a title. */
function shown(raw: string): string {
  const text = raw.length > 40 ? `${raw.slice(0, 20)}… (${raw.length} characters)` : raw
  return JSON.stringify(text)
}

describe('paths', () => {
  const suite = suiteHub()
  const token = v1Token(alice)

  /** By a raw socket, so that no client tidies the target up on the way. */
  const send = (method: string, target: string): Promise<RawAnswer> =>
    sendRaw(suite.hub.port, {
      method,
      target,
      headers: { Authorization: `bearer ${token}` },
      body: method === 'POST' ? 'x' : '',
    })
  const names = async () => (await suite.hub.list({ page: null }, { by: alice })).json?.entries
  const clear = async () => {
    for (const name of (await names()) ?? []) await suite.hub.delete(String(name), { by: alice })
  }
  beforeEach(clear)

  const refused: Record<string, string[]> = {
    'an empty path': ['', '/', '%2F'],
    'a "." or ".." segment, in any spelling': [
      '.',
      '..',
      './f',
      '../f',
      'a/../f',
      'a/./f',
      'a/..',
      'a/.',
      '%2e',
      '%2E%2e/f',
      '.%2e/f',
      '%2E./f',
      'a/%2e%2e/%2e%2e/f',
      '..%2Ff',
      'a%2f..%2ff',
      'a/%2E/f',
    ],
    'NUL and other control characters': [
      'a%00b',
      '%00',
      'a%00.jpg',
      'a%0Ab',
      'a%0D%0Ab',
      'a%09b',
      'a%1Bb',
      'a%7Fb',
      'a%C2%80b',
      'a%C2%85b',
      'a%C2%9Fb',
    ],
    'a backslash': ['a\\b', '\\', '..\\f', 'a%5Cb', 'a%5cb', '..%5C..%5Cf'],
    'malformed escapes': ['%', 'a%', 'a%2', 'a%zz', 'a%2gb', '%%20', '%u0041', 'a%+b'],
    'bytes that are not UTF-8': [
      'a%FFb',
      'a%80b',
      'a%C3',
      'a%C3%28',
      'a%ED%A0%80',
      'a%F4%90%80%80',
      'a%F5%80%80%80',
    ],
    'overlong UTF-8': ['%C0%AE%C0%AE/f', '%C0%AF', 'a%C1%81', 'a%E0%80%AFb', '%F0%80%80%AE'],
    'more than 1,024 bytes': [
      'a'.repeat(1025),
      '%C3%A9'.repeat(513),
      `${'a'.repeat(1024)}%62`,
      '%61'.repeat(1025),
    ],
    'more than 100 segments': [Array(101).fill('a').join('/'), Array(101).fill('a').join('%2F')],
    'a first segment that begins with .gaia-metadata': [
      '.gaia-metadata',
      '.gaia-metadata/f',
      '.gaia-metadata-not/f',
      '%2Egaia-metadata/f',
      '.gaia%2Dmetadata%2Ff',
    ],
    'an empty segment': ['a//b', '//a', '/a', 'a//', 'a%2F%2Fb', 'a/%2Fb', '%2Fa', 'a%2F/', 'a///b'],
  }

  for (const [rule, raws] of Object.entries(refused)) {
    describe(`with ${rule}`, () => {
      for (const raw of raws) {
        it(`is refused: ${shown(raw)}`, async () => {
          for (const [method, operation] of [
            ['POST', 'store'],
            ['DELETE', 'delete'],
          ] as const) {
            const answer = await send(method, `/${operation}/${alice.address}/${raw}`)
            expect(answer.status, operation).to.equal(403)
            expect(answer.json().error).to.equal('BadPathError')
            expect(answer.headers['content-type']).to.equal('application/json')
          }
          expect(await names()).to.deep.equal([])
        })
      }
    })
  }

  for (const raw of ['caf\u00c3\u00a9', 'a\u00c2\u0085b', 'a\u00ffb', '\u00c0\u00ae\u00c0\u00ae/f']) {
    it(`is no HTTP with bytes above 0x7F that are not escaped: ${JSON.stringify(raw)}`, async () => {
      expect((await send('POST', `/store/${alice.address}/${raw}`)).status).to.equal(400)
      expect(await names()).to.deep.equal([])
    })
  }

  const taken: [string, string][] = [
    ['f', 'f'],
    ['f/', 'f'],
    ['a/f/', 'a/f'],
    ['a%2Ff', 'a/f'],
    ['a%2ff%2F', 'a/f'],
    ['%66', 'f'],
    ['a%252Ff', 'a%2Ff'],
    ['%252e%252e', '%2e%2e'],
    ['..x', '..x'],
    ['foo..bar', 'foo..bar'],
    ['...', '...'],
    ['a%20b', 'a b'],
    ['a+b', 'a+b'],
    ['f?g=h', 'f'],
    ['a%3Fb', 'a?b'],
    ['a%23b', 'a#b'],
    ['x/.gaia-metadata', 'x/.gaia-metadata'],
    ['gaia-metadata', 'gaia-metadata'],
    ['%F0%9F%98%80', '😀'],
    ['%C2%A0', '\u00a0'],
    ['a'.repeat(1024), 'a'.repeat(1024)],
    [`${'a'.repeat(1024)}/`, 'a'.repeat(1024)],
    ['%61'.repeat(1024), 'a'.repeat(1024)],
    [Array(100).fill('a').join('/'), Array(100).fill('a').join('/')],
    ['__proto__', '__proto__'],
    ['constructor/prototype', 'constructor/prototype'],
  ]
  for (const [raw, name] of taken) {
    it(`is taken as ${shown(name)}: ${shown(raw)}`, async () => {
      expect((await send('POST', `/store/${alice.address}/${raw}`)).status).to.equal(202)
      expect(await names()).to.deep.equal([name])
      expect((await send('DELETE', `/delete/${alice.address}/${raw}`)).status).to.equal(202)
      expect(await names()).to.deep.equal([])
    })
  }

  it('is taken from a target in absolute form, as a proxy sends it', async () => {
    expect((await send('POST', `http://hub.example/store/${alice.address}/a%2Fb`)).status).to.equal(202)
    expect(await names()).to.deep.equal(['a/b'])
  })

  describe('of addresses', () => {
    for (const bucket of [
      `${alice.address}-auth`,
      `${alice.address}%2Dauth`,
      `${alice.address}%2dauth`,
      `${alice.address}_`,
      `${alice.address}.`,
      '..',
      '%2e%2e',
      '',
      '%00',
      `%31${alice.address.slice(1)}`,
    ]) {
      it(`match no route: ${shown(bucket.replace(alice.address, '<address>'))}`, async () => {
        for (const [method, target] of [
          ['POST', `/store/${bucket}/authTimestamp`],
          ['DELETE', `/delete/${bucket}/authTimestamp`],
          ['POST', `/list-files/${bucket}`],
          ['POST', `/revoke-all/${bucket}`],
        ] as const) {
          const answer = await send(method, target)
          expect(answer.status, `${method} ${target}`).to.equal(404)
          expect(answer.json().error).to.equal('DoesNotExist')
        }
      })
    }

    it('are never reached by the path of another address', async () => {
      for (const raw of ['..%2f', '%2e%2e/', '../', '..%5c']) {
        const answer = await send('POST', `/store/${alice.address}/${raw}${alice.address}-auth/authTimestamp`)
        expect(answer.status).to.equal(403)
      }
    })

    it('are not listed with the records of the hub', async () => {
      await suite.hub.revokeAll(1, { by: alice })
      const token = v1Token(alice, { iat: suite.hub.clock.seconds() })
      const { json } = await suite.hub.list({ page: null }, { at: alice, token })
      expect(json?.entries).to.deep.equal([])
    })
  })
})
