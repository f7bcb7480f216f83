import { hex } from '@scure/base'
import { expect } from 'chai'
import { concat, randomBytes, utf8 } from '../../../client/seal/bytes.ts'
import {
  encryptionKey,
  fingerprint,
  kindNames,
  parseEncryptionKey,
} from '../../../client/seal/encryption-key.ts'
import {
  exportOpeningKey,
  generateOpeningKey,
  importOpeningKey,
  type OpeningKey,
  openingKey,
  stacksOpeningKey,
} from '../../../client/seal/opening-key.ts'
import { rawKey, rawKeyPair, secp256k1Kem } from '../../../client/seal/secp256k1-kem.ts'
import { unwrap, wrap } from '../../../client/seal/wrap.ts'
import { generateStacksSigner } from '../../../client/signers/stacks-signer.ts'
import { generateSigner } from '../../../client/signers/web-crypto-signer.ts'
import { codeOf } from './sealing.ts'

/** Base mode of draft-wahby-cfrg-hpke-kem-secp256k1-01. */
const draft = [
  {
    skEm: '1300156862599d00ecbb066644bf4d4505b56a9b235eae7a8632defc4335d5c0',
    pkEm: '0471788be0ccf916302c4f2225bba89a0ff3832df1fe50b48d8ccb910be74e30241428ba6de731ccf538ded2913febdfe14b2648fafb8fdd35b8aa91804c706076',
    skRm: '4a99cf59fb6af25c324299a39fef2db3931667ee89528e3aacc8b61d591ad643',
    sharedSecret: 'a81a3ccf56f48c699eb9f393e0701692836f9ac2e06b493ccbf99ac68a792bbe',
  },
  {
    skEm: '9558390641d55b914bb5543284ff3c24dcf059cacc3a269f471dace8b13b4f4a',
    pkEm: '0405607e978f274af24b219c1d4866e37213694f1dc050a023cdcf5a7d994b3777be96104361fd8ec62602756edbdbd2a36bf10c93011cbe949cfcb634325a7aea',
    skRm: '5d516211fd17a8916cbd4ab60cc52104ea8372aac6678220545fbdb542392cb7',
    sharedSecret: '64ba1219520c5d1b0450bf71a222b512e70dff05b6539292b5c402ff8e64f707',
  },
]

async function keyOf(kind: OpeningKey['kind']): Promise<OpeningKey> {
  if (kind === 'secp256k1') return stacksOpeningKey(generateStacksSigner())
  return generateOpeningKey(kind, { extractable: true })
}

describe('the KEM of secp256k1', () => {
  for (const { skEm, pkEm, skRm, sharedSecret } of draft) {
    it(`gives the shared secrets of the draft: ${sharedSecret.slice(0, 8)}`, async () => {
      const kem = secp256k1Kem()
      const recipient = rawKeyPair(hex.decode(skRm))
      const sent = await kem.encap({
        recipientPublicKey: recipient.publicKey,
        ekm: rawKeyPair(hex.decode(skEm)),
      })
      expect(hex.encode(new Uint8Array(sent.enc))).to.equal(pkEm)
      expect(hex.encode(new Uint8Array(sent.sharedSecret))).to.equal(sharedSecret)
      const got = await kem.decap({ recipientKey: recipient, enc: hex.decode(pkEm) })
      expect(hex.encode(new Uint8Array(got))).to.equal(sharedSecret)
    })
  }

  it('shows no private key when it is printed', () => {
    const secret = randomBytes(32)
    expect(JSON.stringify(rawKey(secret))).to.equal('{}')
  })
})

describe('a wrapped secret', () => {
  for (const kind of kindNames) {
    it(`opens for its ${kind} key and its purpose only`, async () => {
      const [key, other] = [await keyOf(kind), await keyOf(kind)]
      const [secret, info] = [randomBytes(32), utf8('a purpose')]
      const wrapped = await wrap(secret, parseEncryptionKey(key.did), info)
      expect(await unwrap(wrapped, key, info)).to.deep.equal(secret)
      expect(await unwrap(wrapped, other, info)).to.equal(null)
      expect(await unwrap(wrapped, key, utf8('another'))).to.equal(null)
      const changed = concat(wrapped.sealed)
      changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
      expect(await unwrap({ ...wrapped, sealed: changed }, key, info)).to.equal(null)
      expect(await unwrap({ ...wrapped, sealed: wrapped.sealed.slice(0, 40) }, key, info)).to.equal(null)
    })

    it(`does not tell for which ${kind} key it is, and is another each time`, async () => {
      const key = await keyOf(kind)
      const [a, b] = [
        await wrap(randomBytes(32), key, utf8('x')),
        await wrap(randomBytes(32), key, utf8('x')),
      ]
      expect(a.sealed).not.to.deep.equal(b.sealed)
      expect(hex.encode(a.sealed)).not.to.include(hex.encode(key.publicKey.slice(1, 33)))
      expect(a.sealed.length).to.equal(b.sealed.length)
    })

    it(`opens with the ${kind} key that came back from a backup`, async () => {
      const key = await keyOf(kind)
      if (kind === 'secp256k1') return expect(await refusal(exportOpeningKey(key))).to.include('Stacks key')
      const again = await importOpeningKey(await exportOpeningKey(key))
      expect(again.did).to.equal(key.did)
      expect(again.pair.privateKey.extractable).to.equal(false)
      const wrapped = await wrap(randomBytes(32), key, utf8('x'))
      expect(await unwrap(wrapped, again, utf8('x'))).to.deep.equal(await unwrap(wrapped, key, utf8('x')))
    })
  }
})

async function refusal(action: Promise<unknown>): Promise<string> {
  return action.then(
    () => 'it was taken',
    (error: Error) => error.message,
  )
}

describe('an encryption key', () => {
  it('has one name, from which it can be made again', async () => {
    for (const kind of kindNames) {
      const { did, publicKey } = await keyOf(kind)
      expect(parseEncryptionKey(did)).to.deep.equal({ kind, did, publicKey })
      expect(encryptionKey(kind, publicKey).did).to.equal(did)
    }
  })

  it('is not one that only signs, nor anything else', async () => {
    for (const did of [
      (await generateSigner('Ed25519')).did(),
      'did:web:example.org',
      'did:key:z',
      'did:key:zQ3sh',
      'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBmf',
      '',
      `did:key:z${'1'.repeat(5000)}`,
    ]) {
      expect(await codeOf(Promise.resolve(did).then(parseEncryptionKey))).to.equal('no-encryption-key')
    }
  })

  it('has a fingerprint of its own, the same for everybody', async () => {
    const [a, b] = [await keyOf('P-256'), await keyOf('P-256')]
    expect(await fingerprint(a.did)).to.match(/^(\d{5} ){7}\d{5}$/)
    expect(await fingerprint(a.did)).to.equal(await fingerprint(a.did))
    expect(await fingerprint(a.did)).not.to.equal(await fingerprint(b.did))
  })

  it('is not made of a pair that signs, nor of a text that is no backup', async () => {
    const { keyPair } = await generateSigner('P-256')
    expect(await refusal(openingKey(keyPair))).to.include('P-256')
    for (const text of ['', 'z', 'zabc', `z${'1'.repeat(48)}`]) {
      expect(await refusal(importOpeningKey(text))).to.include('no key')
    }
  })
})
