import { expect } from 'chai'
import { Delegation } from '../../../client/delegation/delegation.ts'
import { can, mint, testNow } from '../../ucan/mint.ts'
import { alice, bob, carol } from '../../ucan/personas.ts'
import { thrown } from './refusal.ts'

const root = mint({ issuer: alice, audience: bob, capabilities: [can(alice, 'photos/', 'gaia/store')] })
const named = mint({ issuer: alice, audience: bob, version: '0.10.0', capabilities: [can(alice, 'a/', '*')] })
const byCid = mint({
  issuer: bob,
  audience: carol,
  version: '0.10.0',
  capabilities: [can(alice, 'a/', '*')],
  proofs: [named],
})

const alone = Delegation.of(root)
const together = Delegation.of(byCid, [named])

describe('the text of a delegation', () => {
  it('is the JWT alone where that holds everything, else all tokens', () => {
    expect(alone.toString()).to.equal(root)
    expect(together.toString()).to.equal(`${byCid}~${named}`)
    expect(JSON.stringify({ alone })).to.equal(JSON.stringify({ alone: root }))
  })

  for (const [what, write] of [
    ['text', String],
    ['a mandate: URL', (one: Delegation) => one.toUrl()],
    ['a URL of a page', (one: Delegation) => one.toUrl('https://notes.example/')],
    ['a URL that has a fragment', (one: Delegation) => one.toUrl('https://notes.example/a?b=c#d')],
    ['a URL of an app', (one: Delegation) => one.toUrl('myapp://inbox')],
    ['lines of a mail', (one: Delegation) => `  ${one.toString().replace(/.{76}/g, '$&\r\n\t')}\n`],
    ['a scheme in capitals', (one: Delegation) => `MANDATE:${one.toString()}`],
    [
      'a URL among other parameters',
      (one: Delegation) => `https://a.example/#x=1&mandate=${one.toString()}&y=2`,
    ],
    [
      'a URL whose divider was escaped',
      (one: Delegation) => `https://a.example/#mandate=${one.toString()}`.replace('~', '%7E'),
    ],
  ] as const) {
    it(`is read back from ${what}`, () => {
      for (const one of [alone, together]) {
        const read = Delegation.parse(write(one))
        expect([read.token, ...read.proofs]).to.deep.equal([one.token, ...one.proofs])
        expect(read.cid).to.equal(one.cid)
      }
    })
  }

  it('stands in the fragment of a URL, which goes to no server', () => {
    const url = new URL(alone.toUrl(new URL('https://notes.example/inbox?lang=de')))
    expect([url.origin, url.pathname, url.search]).to.deep.equal([
      'https://notes.example',
      '/inbox',
      '?lang=de',
    ])
    expect(url.hash).to.equal(`#mandate=${root}`)
    expect(thrown(() => alone.toUrl('notes.example')).code).to.equal('malformed')
  })

  const [head = '', body = '', signature = ''] = root.split('.')
  for (const [what, text, code] of [
    ['nothing', '', 'malformed'],
    ['some words', 'please let me write', 'malformed'],
    ['a URL without one', 'https://notes.example/#other=1', 'malformed'],
    ['a URL with two', `https://a.example/#mandate=${root}&mandate=${root}`, 'malformed'],
    ['one that stands in the query', `https://a.example/?mandate=${root}`, 'malformed'],
    ['a token without a signature', `${head}.${body}.`, 'malformed'],
    ['two segments', `${head}.${body}`, 'malformed'],
    ['four segments', `${root}.${signature}`, 'malformed'],
    ['a padded signature', `${root}==`, 'malformed'],
    ['a signature of 63 bytes', `${head}.${body}.${signature.slice(0, 84)}`, 'malformed'],
    ['stray bits at the end', `${head}.${body}.${signature.slice(0, -1)}B`, 'malformed'],
    ['a divider at the end', `${root}~`, 'malformed'],
    ['a token beside it that it does not need', `${root}~${named}`, 'malformed'],
    ['a credential', `Bearer ucan:${root}`, 'malformed'],
    ['JSON that is none', `${head}.${b64('{"iss":')}.${signature}`, 'malformed'],
    ['a list in place of claims', `${head}.${b64('[]')}.${signature}`, 'malformed'],
    [
      'bytes that are no UTF-8',
      `${head}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.${signature}`,
      'malformed',
    ],
    [
      'a v1 token',
      `${b64('{"typ":"JWT","alg":"ES256K"}')}.${b64('{"iss":"02ab"}')}.${signature}`,
      'malformed',
    ],
    ['a token of 17,000 characters', `${head}.${'A'.repeat(17_000)}.${signature}`, 'too-large'],
    ['a million characters', 'A'.repeat(1_000_000), 'too-large'],
    ['a million spaces', ' '.repeat(1_000_000), 'too-large'],
    ['seventeen tokens', Array(17).fill(root).join('~'), 'too-large'],
  ] as const) {
    it(`is refused as ${code}: ${what}`, () => {
      const error = thrown(() => Delegation.parse(text))
      expect(error.code, error.message).to.equal(code)
      expect(error.message).to.not.include(head)
    })
  }

  for (const [claim, payload] of [
    ['iss', { iss: 'did:web:hub.example' }],
    ['aud', { aud: 'mailto:bob@example.com' }],
    ['exp', { exp: 1.5 }],
    ['exp', { exp: null }],
    ['exp', { exp: -1 }],
    ['nbf', { nbf: '0' }],
    ['prf', { prf: [7] }],
    ['att', { att: 'all' }],
    ['att[0]', { att: ['gaia/store'] }],
    ['att[0]', { att: [{ with: 'my:*', can: '*' }] }],
    ['att[0].with', { att: [{ with: `gaia://${alice.address}/a%2fb`, can: 'gaia/store' }] }],
    ['att[0].with', { att: [{ with: `gaia://${alice.address}/a/../b`, can: 'gaia/store' }] }],
    ['att[0].with', { att: [{ with: 'gaia://a-auth/b', can: 'gaia/store' }] }],
    ['att[0].nb', { att: [can(alice, 'a', 'gaia/store', { maxAge: 5 })] }],
    ['att[0].nb', { att: [can(alice, 'a', 'gaia/grant', { maxSize: 5 })] }],
    ['att[0].nb', { att: [can(alice, 'a', 'gaia/store', { contentType: ['*/*'] })] }],
    ['att', { att: Array(65).fill(can(alice, 'a', 'gaia/store')) }],
  ] as const) {
    it(`is refused for its ${claim}: ${JSON.stringify(payload).slice(0, 60)}`, () => {
      const error = thrown(() => Delegation.of(mint({ issuer: alice, audience: bob, payload })))
      expect(error).to.deep.include({ code: 'malformed', link: 0, claim })
    })
  }

  it('ignores capabilities of other schemes and abilities, as hubs do', () => {
    const att = [
      { with: 'mailto:a@example.com', can: 'msg/send' },
      can(alice, 'a', 'gaia/paint'),
      can(alice, 'a', 'GAIA/Store'),
    ]
    const read = Delegation.of(mint({ issuer: alice, audience: bob, payload: { att } }))
    expect(read.capabilities).to.deep.equal([can(alice, 'a', 'gaia/store')])
  })

  it('tells who, what, where and when without a look at signatures', () => {
    const { cid, issuer, audience, addresses, expiration, notBefore } = together
    expect({ issuer, audience, addresses, expiration, notBefore }).to.deep.equal({
      issuer: bob.did,
      audience: carol.did,
      addresses: [alice.address],
      expiration: testNow + 3600,
      notBefore: null,
    })
    expect(cid).to.match(/^bafkrei[a-z2-7]{52}$/)
  })
})

function b64(text: string): string {
  return Buffer.from(text).toString('base64url')
}
