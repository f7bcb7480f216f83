import { can, mintChain } from './mint.ts'
import { alice, persona } from './personas.ts'

/**
 * Five tokens one inside the other, each with ten capabilities that all pass on all of the last one's: a verifier
 * that follows every way through them checks more than a thousand signatures. Nearly as large as a request may be.
 * @param name another name gives tokens of other keys, which no cache has met
 */
export function hostileToken(name: string): string {
  const people = [alice, ...Array.from({ length: 4 }, (_, i) => persona(`${name} ${i}`))]
  const capabilities = Array.from({ length: 10 }, () => can(alice, '', '*'))
  return mintChain(people.map((issuer) => ({ issuer, capabilities }))).at(-1) ?? ''
}
