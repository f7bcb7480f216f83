import { randomBytes } from 'node:crypto'
import { expect } from 'chai'
import type { Connection } from '../../../client/connection.ts'
import { gaiaSigner, getStacksFile, putStacksFile, stacksSigner } from '../../../client/index.ts'
import { signIn } from '../../e2e/session.ts'
import { alice, bob, mallory } from '../../hub/people.ts'
import { rejection } from '../rejection.ts'
import { suiteStage } from '../sdk-stage.ts'

const contents = [
  ['a text', 'a secret: café 😀', 'text/plain'],
  ['bytes', Uint8Array.from(randomBytes(5_000)), 'application/octet-stream'],
  ['nothing', '', 'text/plain'],
] as const

const protections = [
  { title: 'encrypted', encrypt: true, sign: false },
  { title: 'encrypted and signed', encrypt: true, sign: true },
  { title: 'signed', encrypt: false, sign: true },
  { title: 'plain', encrypt: false, sign: false },
]

const plainBytes = (content: unknown) =>
  typeof content === 'string' ? content : Uint8Array.from(new Uint8Array(content as ArrayBuffer))

describe('files of @stacks/storage', () => {
  const on = suiteStage()
  let me: Connection
  beforeEach(async () => {
    me = await on.stage.connect()
  })
  const app = () => signIn(alice, on.stage.hub.url)

  for (const { title, encrypt, sign } of protections) {
    for (const [what, content, contentType] of contents) {
      const path = `${title}/${what}`

      it(`open with the SDK: ${what}, ${title}`, async () => {
        const sent = typeof content === 'string' ? content : Buffer.from(content)
        await app().putFile(path, sent, { encrypt, sign, contentType, dangerouslyIgnoreEtag: true })
        const file = await getStacksFile(me, path, { decrypt: encrypt, verify: sign })
        expect(file.content).to.deep.equal(content)
      })

      it(`are written by the SDK: ${what}, ${title}`, async () => {
        const theirs = `sdk/${path}`
        await putStacksFile(me, theirs, content, { encrypt, sign, contentType })
        const found = await app().getFile(theirs, { decrypt: encrypt, verify: sign })
        expect(plainBytes(found)).to.deep.equal(content)
      })
    }
  }

  for (const encoding of ['hex', 'base64'] as const) {
    it(`open in ${encoding}, both ways`, async () => {
      await app().putFile(`${encoding}.json`, 'x', {
        cipherTextEncoding: encoding,
        dangerouslyIgnoreEtag: true,
      })
      expect((await getStacksFile(me, `${encoding}.json`)).content).to.equal('x')
      await putStacksFile(me, `${encoding}.json`, 'y', { cipherTextEncoding: encoding })
      expect(await app().getFile(`${encoding}.json`)).to.equal('y')
    })
  }

  it('open for the one whom they were encrypted for, and for nobody else', async () => {
    await putStacksFile(me, 'for-bob', 'hello bob', { encrypt: bob.publicKeyHex })
    const open = (key: string) => getStacksFile(me, 'for-bob', { key: stacksSigner(key) })
    expect((await open(bob.privateKeyHex)).content).to.equal('hello bob')
    expect(await rejection(open(mallory.privateKeyHex))).to.include({ code: 'decryption-failed' })
  })

  describe('are refused', () => {
    async function forge(path: string, change: (file: Record<string, string>) => unknown): Promise<void> {
      const file = (await me.get(path)).json() as Record<string, string>
      await me.put(path, JSON.stringify(change(file)), { contentType: 'application/json' })
    }
    const flipped = (text = '') => (text[0] === '0' ? '1' : '0') + text.slice(1)

    for (const member of ['iv', 'cipherText', 'mac'] as const) {
      it(`where the ${member} was changed`, async () => {
        const path = `changed-${member}`
        await putStacksFile(me, path, 'secret')
        await forge(path, (file) => ({ ...file, [member]: flipped(file[member]) }))
        expect(await rejection(getStacksFile(me, path))).to.include({ code: 'decryption-failed' })
      })
    }

    it('where the signature is of another content', async () => {
      await putStacksFile(me, 'forged', 'one', { sign: true })
      const other = (await me.get('forged')).json() as { cipherText: string }
      await putStacksFile(me, 'forged', 'two', { sign: true })
      await forge('forged', (file) => ({ ...file, cipherText: other.cipherText }))
      expect(await rejection(getStacksFile(me, 'forged', { verify: true }))).to.include({
        code: 'bad-signature',
      })
    })

    it("where mallory signed it in alice's bucket", async () => {
      const key = stacksSigner(mallory.privateKeyHex)
      await putStacksFile(me, 'mallorys', 'x', { sign: true, encrypt: alice.publicKeyHex, key })
      expect(await rejection(getStacksFile(me, 'mallorys', { verify: true }))).to.include({
        code: 'wrong-signer',
      })
    })

    it('where a plain file was changed beside its signature', async () => {
      await putStacksFile(me, 'plain.txt', 'one', { encrypt: false, sign: true })
      await me.put('plain.txt', 'two')
      const outcome = rejection(getStacksFile(me, 'plain.txt', { decrypt: false, verify: true }))
      expect(await outcome).to.include({ code: 'bad-signature' })
    })

    for (const [what, content, verify, code] of [
      ['is no JSON', 'plain', false, 'not-encrypted'],
      ['is other JSON', '{"a":1}', false, 'not-encrypted'],
      ['is null', 'null', false, 'not-encrypted'],
      ['is not signed', '{"iv":"","ephemeralPK":"","cipherText":"","mac":""}', true, 'not-signed'],
      [
        'has an ephemeral key that is none',
        '{"iv":"","ephemeralPK":"00","cipherText":"","mac":""}',
        false,
        'decryption-failed',
      ],
      [
        'is not in hex',
        '{"iv":"zz","ephemeralPK":"00","cipherText":"","mac":""}',
        false,
        'decryption-failed',
      ],
    ] as const) {
      it(`where it ${what}`, async () => {
        await me.put(`refused/${what}`, content)
        expect(await rejection(getStacksFile(me, `refused/${what}`, { verify }))).to.include({ code })
      })
    }
  })

  it('of a session: its gaiaHubConfig and app key are a signer that sees and changes the same files', async () => {
    const storage = app()
    await storage.putFile('session.txt', 'from the app', { dangerouslyIgnoreEtag: true })
    const { gaiaHubConfig } = storage.userSession.loadUserData() as {
      gaiaHubConfig: Parameters<typeof gaiaSigner>[0]['gaiaHubConfig']
    }
    const signer = gaiaSigner({ gaiaHubConfig, appPrivateKey: alice.privateKeyHex })
    const mine = await on.stage.connect({ signer, hub: gaiaHubConfig.server ?? '' })
    expect((await getStacksFile(mine, 'session.txt')).content).to.equal('from the app')
    await putStacksFile(mine, 'session.txt', 'from the SDK')
    expect(await storage.getFile('session.txt')).to.equal('from the SDK')
  })
})
