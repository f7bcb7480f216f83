import { expect } from 'chai'
import { fromBase64url, randomBytes, toBase64url } from '../../../client/seal/bytes.ts'
import { contentKeys } from '../../../client/seal/content-keys.ts'
import { envelopeDomain, makeEnvelope, placeOf } from '../../../client/seal/envelope.ts'
import { generateOpeningKey, type OpeningKey, stacksOpeningKey } from '../../../client/seal/opening-key.ts'
import { openEnvelope, readEnvelope } from '../../../client/seal/read-envelope.ts'
import { parseLine, signLine } from '../../../client/seal/signed-line.ts'
import { generateStacksSigner } from '../../../client/signers/stacks-signer.ts'
import { generateSigner } from '../../../client/signers/web-crypto-signer.ts'
import { codeOf, openFile, type SealedFile, sealFile } from './sealing.ts'

const utf8 = new TextEncoder()

describe('an envelope', () => {
  const alice = generateStacksSigner()
  const mallory = generateStacksSigner()
  const aliceKey = stacksOpeningKey(alice)
  let bob: OpeningKey
  let file: SealedFile

  before(async () => {
    bob = await generateOpeningKey('X25519')
    const recipients = [{ key: aliceKey.did }, { key: bob.did, did: 'did:key:zBob' }]
    file = await sealFile({ signer: alice, recipients, data: utf8.encode('a secret') })
  })

  /** The same envelope with members changed, signed by somebody. */
  const signedBy = async (signer: typeof alice, change: (members: Record<string, unknown>) => void) => {
    const { signature: _, ...members } = JSON.parse(file.envelope) as Record<string, unknown>
    change(members)
    return signLine(signer, envelopeDomain, JSON.stringify(members).slice(0, -1))
  }
  const codeWith = async (envelope: string) => codeOf(openFile({ ...file, envelope }, [bob]))

  it('says who sealed it and whose key opened it', async () => {
    const envelope = await readEnvelope(file.envelope, file)
    expect(envelope.sealer).to.equal(alice.did())
    expect((await openEnvelope(envelope, [bob]))?.openedBy).to.deep.equal({
      key: bob.did,
      did: 'did:key:zBob',
    })
    expect((await openEnvelope(envelope, [aliceKey]))?.openedBy.key).to.equal(aliceKey.did)
    expect(await openEnvelope(envelope, [await generateOpeningKey('X25519')])).to.equal(null)
    expect(await openEnvelope(envelope, [])).to.equal(null)
  })

  it('names no recipient to whom it does not open', () => {
    for (const name of [aliceKey.did, bob.did, 'zBob', 'text/plain'])
      expect(withoutSealer(file)).not.to.include(name)
  })

  const withoutSealer = ({ envelope }: SealedFile) => envelope.replace(`"sealer":"${alice.did()}"`, '')

  it('is refused at another path or another address', async () => {
    expect(await codeOf(openFile({ ...file, path: 'a/c.txt' }, [bob]))).to.equal('wrong-place')
    expect(await codeOf(openFile({ ...file, address: '1Other' }, [bob]))).to.equal('wrong-place')
  })

  it('is refused where its signature is of another key, or of another thing', async () => {
    const forged = await signedBy(mallory, () => undefined)
    expect(await codeWith(forged)).to.equal('bad-signature')
    const { signed } = parseLine(file.envelope)
    expect(await codeWith(await signLine(alice, 'key statement', signed))).to.equal('bad-signature')
  })

  it('cannot be signed as one’s own by who does not know the data key', async () => {
    const stolen = await signedBy(mallory, (members) => {
      members.sealer = mallory.did()
    })
    expect(await codeWith(stolen)).to.equal('bad-proof')
    const fewer = await signedBy(alice, (members) => {
      members.version = 8
    })
    expect(await codeWith(fewer)).to.equal('bad-proof')
  })

  it('is refused where its order of recipients is not that of its keys', async () => {
    const envelope = await readEnvelope(file.envelope, file)
    const opened = await openEnvelope(envelope, [bob])
    if (opened === null) throw new Error('bob is a recipient')
    const [first, second] = opened.recipients
    if (first === undefined || second === undefined) throw new Error('two recipients')
    const wrapped = new Map([
      [first.key, opened.wrapped.get(second.key) ?? { kem: 0, sealed: randomBytes(1) }],
      [second.key, opened.wrapped.get(first.key) ?? { kem: 0, sealed: randomBytes(1) }],
    ])
    const swapped = await makeEnvelope(alice, {
      ...envelope,
      dataKey: opened.dataKey,
      details: opened,
      wrapped,
      open: undefined,
    })
    expect(await codeWith(swapped)).to.equal('malformed')
  })

  for (const [what, change] of [
    ['another format', { sealed: 'mandate/2' }],
    ['no format', { sealed: undefined }],
    ['a negative version', { version: -1 }],
    ['a version that is a text', { version: '7' }],
    ['a version beyond what is counted exactly', { version: 2 ** 53 }],
    ['no keys', { keys: [] }],
    ['a key of an unknown kind', { keys: [{ kem: 1, sealed: 'AA' }] }],
    ['a key that is too short', { keys: [{ kem: 32, sealed: 'AA' }] }],
    ['keys that are no list', { keys: 'x' }],
    ['frames of more than a mebibyte', { content: { version: 1, size: 1, frame: 2 ** 21, inline: true } }],
    ['frames of no byte', { content: { version: 1, size: 1, frame: 0, inline: true } }],
    ['more frames than are held in memory', { content: { size: 2 ** 20 + 1, frame: 1 } }],
    ['more frames than are counted exactly', { content: { size: Number.MAX_SAFE_INTEGER, frame: 1 } }],
    ['no content', { content: null }],
    ['a sealer that is no text', { sealer: 5 }],
    ['open members that are no object', { open: 'x' }],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      const changed = await signedBy(alice, (members) => {
        const content = 'content' in change && change.content !== null
        Object.assign(
          members,
          change,
          content ? { content: { ...(members.content as object), ...change.content } } : {},
        )
      })
      expect(await codeWith(changed)).to.be.oneOf(['malformed', 'unsupported'])
    })
  }

  for (const text of [
    '',
    '{}',
    'null',
    '[]',
    '{"signature":"x"}',
    `{"a":1,"signature":"${'A'.repeat(86)}"}`,
  ]) {
    it(`is refused as ${text.slice(0, 20) || 'nothing'}`, async () => {
      expect(await codeWith(text)).to.be.oneOf(['malformed', 'unsupported'])
    })
  }

  it('takes a signature of any kind of key', async () => {
    for (const signer of [await generateSigner('P-256'), await generateSigner('Ed25519'), alice]) {
      const sealed = await sealFile({ signer, recipients: [{ key: bob.did }], data: utf8.encode('x') })
      expect(await openFile(sealed, [bob])).to.deep.equal(utf8.encode('x'))
      const other = await sealFile({
        signer: mallory,
        recipients: [{ key: bob.did }],
        data: utf8.encode('x'),
      })
      const { signature } = parseLine(other.envelope)
      const envelope = `${sealed.envelope.slice(0, -88)}${toBase64url(signature)}"}`
      expect(await codeOf(openFile({ ...sealed, envelope }, [bob]))).to.equal('bad-signature')
    }
  })

  it('takes the high s of a signature as tokens do', async () => {
    const { signature } = parseLine(file.envelope)
    const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
    const s = BigInt(`0x${Buffer.from(signature.slice(32)).toString('hex')}`)
    const high = Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex')
    const text = Buffer.concat([signature.slice(0, 32), high]).toString('base64url')
    const envelope = `${file.envelope.slice(0, -88)}${text}"}`
    expect(await openFile({ ...file, envelope }, [bob])).to.deep.equal(utf8.encode('a secret'))
  })

  it('is made for at least one recipient, and for keys only', async () => {
    const data = utf8.encode('x')
    expect(await codeOf(sealFile({ signer: alice, recipients: [], data }))).to.equal('malformed')
    const recipients = [{ key: (await generateSigner('Ed25519')).did() }]
    expect(await codeOf(sealFile({ signer: alice, recipients, data }))).to.equal('no-encryption-key')
  })

  it('pads what it hides, so that its length tells little', async () => {
    const lengths = new Set<number>()
    for (const did of ['d', 'did:key:zSomebody', 'x'.repeat(60)]) {
      const sealed = await sealFile({
        signer: alice,
        recipients: [{ key: bob.did, did }],
        data: utf8.encode('x'),
      })
      lengths.add(fromBase64url((JSON.parse(sealed.envelope) as { details: string }).details).length)
    }
    expect([...lengths]).to.deep.equal([256 + 12 + 16])
  })

  it('gives keys that are bound to the size of the frames too', async () => {
    const envelope = await readEnvelope(file.envelope, file)
    const opened = await openEnvelope(envelope, [bob])
    const place = placeOf(envelope)
    const other = await contentKeys(opened?.dataKey ?? randomBytes(32), { ...place, frame: place.frame + 1 })
    const data = utf8.encode('x')
    const sign = (key: CryptoKey) => crypto.subtle.sign('HMAC', key, data)
    if (opened === null) throw new Error('bob is a recipient')
    expect(new Uint8Array(await sign(other.proof))).not.to.deep.equal(
      new Uint8Array(await sign(opened.keys.proof)),
    )
  })
})
