import { expect } from 'chai'

/**
 * No part of a credential stands in what a hub has answered or logged: neither the whole, nor a segment, nor a
 * stretch of one.
 */
export function expectNoSecrets(credential: string, texts: readonly string[]): void {
  const parts = credential
    .split(/[.\s,:]+/)
    .flatMap((part) => [part.slice(0, 24), part.slice(-24)])
    .filter((part) => part.length >= 12)
  for (const text of texts) for (const part of parts) expect(text.includes(part), text).to.equal(false)
}
