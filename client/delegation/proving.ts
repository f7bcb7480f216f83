import { controls } from '../did.ts'
import { attenuationOf, type Capability, type Extent } from './capabilities.ts'
import { type Chain, type ChainToken, proofsOf } from './chain.ts'

/**
 * How much of each capability comes, link by link, from a key that controls its address: one that such a key issued
 * needs no proof, any other needs a proven capability of a proof that covers it. Each is looked at once.
 */
export function provenExtents(chain: Chain): ReadonlyMap<Capability, Extent> {
  const known = new Map<Capability, Extent>()
  const prove = (token: ChainToken, capability: Capability): Extent => {
    const extent = known.get(capability) ?? extentOf(token, capability)
    known.set(capability, extent)
    return extent
  }
  const extentOf = (token: ChainToken, capability: Capability): Extent => {
    if (controls(token.issuer, capability.address)) return 'all'
    const found = proofsOf(chain, token).flatMap((proof) =>
      proof.capabilities.map((held) => {
        const { extent } = attenuationOf(capability, held)
        return extent === 'nothing' ? extent : least(extent, prove(proof, held))
      }),
    )
    return found.includes('all') ? 'all' : found.includes('stores') ? 'stores' : 'nothing'
  }
  for (const token of chain.tokens) {
    for (const capability of token.capabilities) prove(token, capability)
  }
  return known
}

function least(a: Extent, b: Extent): Extent {
  if (a === 'nothing' || b === 'nothing') return 'nothing'
  return a === 'all' ? b : a
}
