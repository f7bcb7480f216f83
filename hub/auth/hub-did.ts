/**
 * The hub as an audience: `did:web:<host>`, the port written as `%3A` (did:web method, "Method-specific
 * identifier").
 * @param host `hub.example`, `hub.example:3000`
 */
export function hubDid(host: string): string {
  return `did:web:${host.toLowerCase().replace(':', '%3A')}`
}

/** Every DID that an invocation may be made out to: that of the server name and those of the valid hub URLs. */
export function hubDids(serverName: string, validHubUrls: readonly string[]): ReadonlySet<string> {
  const hosts = validHubUrls.filter((url) => URL.canParse(url)).map((url) => new URL(url).host)
  return new Set([serverName, ...hosts].map(hubDid))
}

/** Hosts and percent-escapes are compared without their case. */
export function isHubDid(did: string, dids: ReadonlySet<string>): boolean {
  return dids.has(did.toLowerCase().replaceAll('%3a', '%3A'))
}

/** Whether a DID is that of some hub, this one or another: no key answers to a did:web. */
export function namesHub(did: string): boolean {
  return did.startsWith('did:web:')
}
