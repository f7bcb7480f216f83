import type { Capability } from '../capability.ts'
import { controls } from '../keys.ts'
import { type Attenuation, checkAttenuation, type Extent } from './attenuation.ts'
import { UcanError } from './errors.ts'
import { type ChainToken, proofsOf, type TokenGraph } from './graph.ts'

/** Whether a claimed capability comes, link by link, from an owner of its address. */
export interface Proof {
  /** `null`: not at all. */
  readonly extent: Extent | null
  /** Where it is not wholly proven: the link nearest to the root that claims more than its proofs hold. */
  readonly failure: UcanError | null
}

/**
 * Proves the capabilities of a chain. One issued by a key that controls its address needs no proof; any other needs
 * a capability of one of the token's proofs that covers it and is itself proven. Each capability is looked at once,
 * however many ways lead to it.
 */
export class Prover {
  readonly #graph: TokenGraph
  readonly #known = new Map<Capability, Proof>()

  constructor(graph: TokenGraph) {
    this.#graph = graph
  }

  prove(token: ChainToken, capability: Capability): Proof {
    const known = this.#known.get(capability)
    if (known !== undefined) return known
    const proof = controls(token.ucan.issuer, capability.address)
      ? whole
      : this.#fromProofs(token, capability)
    this.#known.set(capability, proof)
    return proof
  }

  #fromProofs(token: ChainToken, capability: Capability): Proof {
    let best: Proof | null = null
    for (const proof of proofsOf(this.#graph, token)) {
      for (const held of proof.ucan.capabilities) {
        const found = this.#fromHeld(token, capability, proof, held)
        if (found.extent === 'all') return found
        best = best === null ? found : better(best, found)
      }
    }
    return best ?? { extent: null, failure: uncovered(token, null) }
  }

  #fromHeld(token: ChainToken, claimed: Capability, proof: ChainToken, held: Capability): Proof {
    const attenuation = checkAttenuation(claimed, held)
    if (attenuation.extent === null) return { extent: null, failure: uncovered(token, attenuation) }
    const parent = this.prove(proof, held)
    if (parent.extent !== 'all' || attenuation.extent === 'all') return parent
    return { extent: 'store-only', failure: storeOnly(token) }
  }
}

const whole: Proof = { extent: 'all', failure: null }

/** What proves something before what proves nothing, then the failure that is nearer to the root. */
function better(a: Proof, b: Proof): Proof {
  if (a.extent !== b.extent) return a.extent === null ? b : a
  return (b.failure?.link ?? 0) > (a.failure?.link ?? 0) ? b : a
}

function uncovered({ link }: ChainToken, attenuation: Attenuation | null): UcanError {
  const known = attenuation !== null && attenuation.extent === null
  return new UcanError('not-covered', {
    link,
    claim: known ? attenuation.claim : 'prf',
    expected: known ? attenuation.expected : 'a proof that holds the capability',
  })
}

function storeOnly({ link }: ChainToken): UcanError {
  return new UcanError('not-covered', {
    link,
    claim: 'can',
    expected: 'a proof that holds gaia/archive; gaia/store proves its store alone',
  })
}
