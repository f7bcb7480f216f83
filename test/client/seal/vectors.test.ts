import { expect } from 'chai'
import { fromBase64url } from '../../../client/seal/bytes.ts'
import { importOpeningKey, type OpeningKey, stacksOpeningKey } from '../../../client/seal/opening-key.ts'
import { openEnvelope, readEnvelope } from '../../../client/seal/read-envelope.ts'
import { readStatement } from '../../../client/seal/statement.ts'
import { stacksSigner } from '../../../client/signers/stacks-signer.ts'
import { codeOf, openFile, openStored, type VectorFile, vectors } from './sealing.ts'

const asStored = (file: VectorFile) => ({ ...file, content: fromBase64url(file.content) })

/** Every text of the same length that differs in one bit of one byte. */
function flipped(text: string): string[] {
  return Array.from(text, (_, i) => {
    const other = String.fromCharCode(text.charCodeAt(i) ^ (1 << (i % 7)))
    return text.slice(0, i) + other + text.slice(i + 1)
  })
}

describe('the vectors of sealed files', () => {
  const keys: OpeningKey[] = []

  before(async () => {
    for (const { privateKey, privateKeyHex } of vectors.openingKeys) {
      const key = privateKeyHex === undefined ? null : stacksOpeningKey(stacksSigner(privateKeyHex))
      keys.push(key ?? (await importOpeningKey(privateKey ?? '')))
    }
  })

  it('are of keys of all three kinds', () => {
    expect(keys.map(({ did }) => did)).to.deep.equal(vectors.openingKeys.map(({ did }) => did))
    expect(keys.map(({ kind }) => kind)).to.deep.equal(['secp256k1', 'P-256', 'X25519'])
  })

  for (const file of vectors.files) {
    it(`open for each of their recipients: ${file.name}`, async () => {
      for (const key of keys) {
        expect(await openFile(asStored(file), [key])).to.deep.equal(fromBase64url(file.plain))
        const envelope = await readEnvelope(file.envelope, file)
        const opened = await openEnvelope(envelope, [key])
        expect(opened?.openedBy.key).to.equal(key.did)
        expect(opened?.dataKey).to.deep.equal(fromBase64url(file.dataKey))
        expect(opened).to.include({ type: file.type, by: file.sealer })
        expect(envelope.sealer).to.equal(file.sealer)
      }
    })

    it(`are refused with any byte of the content flipped: ${file.name}`, async () => {
      const whole = asStored(file)
      const opened = await openEnvelope(await readEnvelope(file.envelope, file), keys)
      if (opened === null) throw new Error('the keys are those of the recipients')
      expect(await openStored(opened, whole.content)).to.deep.equal(fromBase64url(file.plain))
      for (let i = 0; i < whole.content.length; i++) {
        const content = whole.content.slice()
        content[i] = (content[i] ?? 0) ^ (1 << (i % 8))
        expect(await codeOf(openStored(opened, content))).to.equal('damaged')
      }
    }).timeout(30_000)
  }

  it('are refused with any byte of the envelope flipped', async () => {
    const file = vectors.files[3]
    if (file === undefined) throw new Error('there are four')
    const codes = new Set<string>()
    for (const envelope of flipped(file.envelope)) {
      codes.add(await codeOf(openFile({ ...asStored(file), envelope }, keys.slice(1, 2))))
    }
    expect([...codes]).to.include.members(['malformed', 'bad-signature', 'unsupported'])
    expect([...codes]).not.to.include('damaged')
  }).timeout(30_000)

  it('hold a key statement that its DID signed', async () => {
    const { text, ...expected } = vectors.statement
    expect(await readStatement(text)).to.include({ did: expected.did, key: expected.key })
    expect((await readStatement(text)).recovery).to.deep.equal(expected.recovery)
    for (const changed of flipped(text)) await codeOf(readStatement(changed))
  })
})
