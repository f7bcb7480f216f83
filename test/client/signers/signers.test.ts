import { inspect } from 'node:util'
import * as ucans from '@ucans/ucans'
import { expect } from 'chai'
import {
  addressOfDid,
  controls,
  didPkhOf,
  gaiaSigner,
  generateSigner,
  generateStacksSigner,
  isStacksSigner,
  namesKey,
  type Signer,
  stacksSigner,
  webCryptoSigner,
} from '../../../client/index.ts'
import { signJwt } from '../../../client/jwt.ts'
import { addressOf, didPkh, publicKeyFromDid } from '../../../hub/auth/keys.ts'
import { verifySignature } from '../../../hub/auth/signature.ts'
import { alice, bob } from '../../hub/people.ts'
import { rejection } from '../rejection.ts'
import { suiteStage } from '../sdk-stage.ts'

const signers: [string, string, () => Promise<Signer>][] = [
  ['a Stacks key', 'ES256K', async () => stacksSigner(alice.privateKeyHex)],
  ['a fresh Stacks key', 'ES256K', async () => generateStacksSigner()],
  ['a P-256 key of WebCrypto', 'ES256', () => generateSigner('P-256')],
  ['an Ed25519 key of WebCrypto', 'EdDSA', () => generateSigner('Ed25519', { extractable: true })],
  ['an Ed25519 key pair of @ucans/ucans', 'EdDSA', () => ucans.EdKeypair.create()],
  ['a P-256 key pair of @ucans/ucans', 'ES256', () => ucans.EcdsaKeypair.create()],
  ['anything with did, jwtAlg and sign', 'ES256K', async () => elsewhere()],
]

/** A key behind a service: everything takes its time. */
function elsewhere(): Signer {
  const key = generateStacksSigner()
  return { jwtAlg: 'ES256K', did: async () => key.did(), sign: async (bytes) => key.sign(bytes) }
}

describe('a signer', () => {
  const on = suiteStage()

  for (const [what, jwtAlg, make] of signers) {
    it(`of ${what} signs what the hub verifies under its DID, and owns a bucket`, async () => {
      const signer = await make()
      const did = await signer.did()
      const bytes = new TextEncoder().encode('something')
      expect(signer.jwtAlg).to.equal(jwtAlg)
      expect(verifySignature(publicKeyFromDid(did), bytes, await signer.sign(bytes))).to.equal(true)
      const me = await on.stage.connect({ signer })
      expect(me).to.include({ did, address: addressOf(publicKeyFromDid(did)) })
      await me.put('mine', 'x')
      expect(await rejection(me.at(bob.address).put('not mine', 'x'))).to.include({
        code: 'no-grant',
      })
    })
  }

  it('of a Stacks key can be printed without giving it away', () => {
    const signer = stacksSigner(alice.privateKeyHex)
    expect(signer.privateKeyHex).to.equal(alice.privateKeyHex)
    for (const text of [JSON.stringify(signer), inspect(signer, { showHidden: true, depth: 9 })]) {
      expect(text).not.to.include(alice.privateKeyHex)
    }
  })

  it('of a Stacks key takes it with and without the 01 of a compressed one', () => {
    const { address, publicKeyHex } = stacksSigner(`${alice.privateKeyHex.toUpperCase()}01`)
    expect({ address, publicKeyHex }).to.deep.equal({
      address: alice.address,
      publicKeyHex: alice.publicKeyHex,
    })
  })

  for (const [what, key] of [
    ['too short', 'ab'],
    ['no hex', 'x'.repeat(64)],
    ['zero', '0'.repeat(64)],
    ['beyond the order of the curve', 'f'.repeat(64)],
    ['with another ending than 01', `${alice.privateKeyHex}02`],
  ] as const) {
    it(`refuses a Stacks key that is ${what}, and does not repeat it`, () => {
      expect(() => stacksSigner(key))
        .to.throw()
        .that.satisfies((error: Error) => !error.message.includes(key))
    })
  }

  it('refuses WebCrypto keys of other kinds', async () => {
    const rsa = {
      name: 'RSASSA-PKCS1-v1_5',
      modulusLength: 1024,
      publicExponent: Uint8Array.of(1, 0, 1),
      hash: 'SHA-256',
    }
    const others = [
      await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify']),
      await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']),
      await crypto.subtle.generateKey(rsa, false, ['sign', 'verify']),
    ]
    for (const pair of others)
      expect(await rejection(webCryptoSigner(pair))).to.include({ code: 'invalid-input' })
  })

  it('makes keys that nobody can take out, unless told', async () => {
    const { keyPair } = await generateSigner()
    expect(keyPair.privateKey.extractable).to.equal(false)
    const open = await generateSigner('P-256', { extractable: true })
    expect(open.keyPair.privateKey.extractable).to.equal(true)
  })

  it('of a session is refused where the key is not of its address', () => {
    const gaiaHubConfig = { address: bob.address }
    expect(() => gaiaSigner({ gaiaHubConfig, appPrivateKey: alice.privateKeyHex })).to.throw(
      'not that of the address',
    )
  })

  it('must give 64 bytes', async () => {
    const broken = { ...elsewhere(), sign: () => new Uint8Array(70) }
    expect(await rejection(signJwt(broken, {}))).to.include({ code: 'invalid-input' })
  })

  it('says whether it is a Stacks key at hand', async () => {
    expect(isStacksSigner(generateStacksSigner())).to.equal(true)
    expect(isStacksSigner(elsewhere())).to.equal(false)
    expect(isStacksSigner(await generateSigner())).to.equal(false)
  })
})

describe('the names that the SDK gives to keys', () => {
  it('are those of the hub', () => {
    const { did } = publicKeyFromDid(stacksSigner(alice.privateKeyHex).did())
    expect(addressOfDid(did)).to.equal(alice.address)
    expect(didPkhOf(alice.address)).to.equal(didPkh(alice.address))
    expect(
      [did, didPkhOf(alice.address), didPkhOf(bob.address)].map((name) => namesKey(name, did)),
    ).to.deep.equal([true, true, false])
    expect(
      [alice.address, did.slice('did:key:'.length), bob.address].map((address) => controls(did, address)),
    ).to.deep.equal([true, true, false])
  })

  for (const did of [
    '',
    'did:web:a',
    'did:key:z',
    'did:key:zz',
    'did:key:z0',
    `did:key:z${'1'.repeat(100)}`,
    'did:key:u7QE',
  ]) {
    it(`are refused as keys where they are none: "${did.slice(0, 20)}"`, () => {
      expect(() => addressOfDid(did)).to.throw('did:key')
    })
  }
})
