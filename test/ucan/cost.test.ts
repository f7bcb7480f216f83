import { expect } from 'chai'
import { verifySignature } from '../../hub/auth/signature.ts'
import type { SignatureCheck } from '../../hub/auth/ucan/index.ts'
import { hostileToken } from './hostile.ts'
import { byCid, can, hubDid, mint, mintChain } from './mint.ts'
import { alice, bob, carol, mallory, persona } from './personas.ts'
import { outcome, storing, verifying } from './verifying.ts'

const photos = [can(alice, 'photos/', 'gaia/store')]

/** The real check, counted. */
function counting(): { checkSignature: SignatureCheck; count: () => number } {
  let checks = 0
  return {
    checkSignature: (key, data, signature) => {
      checks++
      return verifySignature(key, data, signature)
    },
    count: () => checks,
  }
}

function cpuMilliseconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

describe('the cost of a chain', () => {
  it('is one signature check a token', async () => {
    for (const length of [1, 2, 3, 5]) {
      const people = [alice, bob, carol, persona('dave'), persona('erin')].slice(0, length)
      const use = mintChain(people.map((issuer) => ({ issuer, capabilities: photos }))).at(-1) ?? ''
      const { checkSignature, count } = counting()
      expect(await outcome(use, storing('photos/a'), { checkSignature })).to.equal('allowed')
      expect(count()).to.equal(length)
    }
  })

  it('is one signature check a token, however many ways lead to it', async () => {
    // Every token of a layer rests on every token of the layer before: 4 × 3 × 1 ways through 9 tokens.
    const root = mint({ issuer: alice, audience: bob, version: '0.10.0', capabilities: photos })
    const layer = (proofs: string[], size: number) =>
      Array.from({ length: size }, (_, nonce) =>
        mint({
          issuer: bob,
          audience: bob,
          version: '0.10.0',
          capabilities: photos,
          proofs,
          payload: { nnc: `${nonce}` },
        }),
      )
    const first = layer([root], 3)
    const second = layer(first, 4)
    const use = mint({
      issuer: bob,
      audience: hubDid,
      version: '0.10.0',
      capabilities: photos,
      proofs: second,
    })
    const { checkSignature, count } = counting()
    const changes = { proofs: byCid(root, ...first, ...second), checkSignature }
    expect(await outcome(use, storing('photos/a'), changes)).to.equal('allowed')
    expect(count()).to.equal(9)
  })

  it('is no signature check at all where form, limits or an earlier signature fail', async () => {
    const forged = mint({ issuer: alice, audience: bob, capabilities: photos, signer: mallory })
    const rows: Array<[string, number]> = [
      [mint({ issuer: bob, audience: hubDid, proofs: [forged.slice(0, -1)] }), 0],
      [mint({ issuer: bob, audience: hubDid, proofs: Array.from({ length: 16 }, (_, i) => `${i}.y.z`) }), 0],
      [mint({ issuer: bob, audience: hubDid, proofs: [forged], signer: mallory }), 1],
    ]
    for (const [jwt, expected] of rows) {
      const { checkSignature, count } = counting()
      expect(await outcome(jwt, storing('photos/a'), { checkSignature })).not.to.equal('allowed')
      expect(count()).to.equal(expected)
    }
  })

  it('of a hostile token is five signature checks and less than 50 ms of CPU', async () => {
    const spent: number[] = []
    for (let i = 0; i < 5; i++) {
      const jwt = hostileToken(`cold ${i}`)
      expect(jwt.length).to.be.within(7000, 16_384)
      const { checkSignature, count } = counting()
      const before = process.cpuUsage()
      const chain = await verifying(jwt, { checkSignature })
      spent.push(cpuMilliseconds(before))
      expect(count()).to.equal(5)
      expect(chain.capabilities).to.have.length(10)
    }
    // Other work of this process, garbage collection above all, falls into some of the runs.
    expect(Math.min(...spent), `milliseconds: ${spent.join(', ')}`).to.be.below(50)
  })

  it('of 200 hostile tokens at once keeps everything else waiting for one piece of work at a time', async () => {
    const tokens = Array.from({ length: 200 }, (_, i) => hostileToken(`crowd ${i % 20}`))
    let last = performance.now()
    let longest = 0
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last)
      last = performance.now()
    }, 5)
    await Promise.all(tokens.map((jwt) => verifying(jwt)))
    clearInterval(timer)
    expect(longest).to.be.greaterThan(0).and.below(500)
  })

  it('of capabilities that all come from one another is not exponential in the depth', async () => {
    // 8 × 8 × … ways through seven tokens, and none of them ends at the owner.
    const people = Array.from({ length: 7 }, (_, i) => persona(`deep ${i}`))
    const capabilities = Array.from({ length: 8 }, () => can(alice, '', '*'))
    const tokens = mintChain(people.map((issuer) => ({ issuer, version: '0.10.0' as const, capabilities })))
    const before = process.cpuUsage()
    const chain = await verifying(tokens.at(-1) ?? '', { proofs: byCid(...tokens) })
    expect(chain.refusal(() => true)?.code).to.equal('root-not-owner')
    expect(cpuMilliseconds(before)).to.be.below(200)
  })
})
