import { expect } from 'chai'
import { isCid } from '../../hub/auth/ucan/cid.ts'
import { cidOf, UcanError, type VerifiedChain } from '../../hub/auth/ucan/index.ts'
import { testNow } from './mint.ts'
import { readVectors, type UcanVector, type UcanVectors } from './vectors/vectors.ts'
import { outcomeOf, storing, verifying } from './verifying.ts'

interface Verdict {
  verdict: string
  claim: string | null
}

/** Takes a vector as a delegation: the published ones are made out to people, not to a hub. */
function verifyVector({ token, proofs = {}, now = testNow }: UcanVector): Promise<VerifiedChain> {
  return verifying(token, { purpose: 'delegation', now, proofs: new Map(Object.entries(proofs)) })
}

async function judge(vector: UcanVector): Promise<Verdict> {
  try {
    await verifyVector(vector)
    return { verdict: 'valid', claim: null }
  } catch (error) {
    if (error instanceof UcanError) return { verdict: error.code, claim: error.claim }
    throw error
  }
}

function payloadOf(token: string): Record<string, unknown> {
  const [, payload = ''] = token.split('.')
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
}

for (const version of ['0.8.1', '0.10.0']) {
  const { valid, invalid, cids = [] } = readVectors<UcanVectors>(`ucan-${version}.json`)

  describe(`the published vectors of UCAN ${version}`, () => {
    for (const [published, vectors] of [
      ['valid', valid],
      ['invalid', invalid],
    ] as const) {
      for (const vector of vectors) {
        it(`${vector.title}: published as ${published}, ${vector.expect} here`, async () => {
          const { verdict, claim } = await judge(vector)
          expect(verdict, vector.why).to.equal(vector.expect)
          if (vector.claim !== undefined) expect(claim).to.equal(vector.claim)
        })
      }
    }

    it('are judged as published, or the vector says why not', () => {
      const otherwise = [
        ...valid.filter((vector) => vector.expect !== 'valid'),
        ...invalid.filter((vector) => vector.expect === 'valid'),
      ]
      expect(otherwise.filter(({ why }) => why === undefined)).to.deep.equal([])
    })

    it('read as they were written, and allow nothing at a hub, where they are valid', async () => {
      const taken = [...valid, ...invalid].filter((vector) => vector.expect === 'valid')
      for (const vector of taken) {
        const chain = await verifyVector(vector)
        const { iss, aud, exp, nbf = null, prf = [] } = payloadOf(vector.token)
        expect(chain.principal.did, vector.title).to.equal(iss)
        expect(chain.audience, vector.title).to.equal(aud)
        expect(chain.expiration, vector.title).to.equal(exp)
        expect(chain.notBefore, vector.title).to.equal(nbf)
        expect(chain.tokens.length, vector.title).to.equal(1 + (prf as unknown[]).length)
        expect(outcomeOf(chain, storing('photos/a')), vector.title).to.equal('not-covered')
      }
    })

    for (const { title, token, cid } of cids) {
      it(`name a token by ${title}`, () => {
        // A hub names tokens by SHA2-256 alone.
        expect(isCid(cid)).to.equal(title === 'SHA2-256')
        if (isCid(cid)) expect(cidOf(token)).to.equal(cid)
      })
    }
  })
}
