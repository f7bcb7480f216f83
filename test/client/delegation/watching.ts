/** A `fetch` that remembers what was sent. */
export interface WatchedFetch {
  readonly fetch: typeof fetch
  /** Of the last request with a credential: how its chain was sent. */
  way(): 'v1' | 'bare' | 'inline' | 'header'
  /** Characters of its headers. */
  length(): number
  /** Credentials of all requests, in their order. */
  readonly sent: readonly string[]
}

export function watchFetch(): WatchedFetch {
  const sent: Array<{ authorization: string; ucans: string | null }> = []
  const last = () => {
    const one = sent.at(-1)
    if (one === undefined) throw new Error('nothing was sent')
    return one
  }
  return {
    fetch: (input, init) => {
      const headers = new Headers(init?.headers)
      const authorization = headers.get('authorization')
      if (authorization !== null) sent.push({ authorization, ucans: headers.get('ucans') })
      return fetch(input, init)
    },
    way() {
      const { authorization, ucans } = last()
      if (authorization.startsWith('Bearer v1:')) return 'v1'
      if (ucans !== null) return 'header'
      return proofsOf(authorization).length > 0 ? 'inline' : 'bare'
    },
    length: () => last().authorization.length + (last().ucans?.length ?? 0),
    get sent() {
      return sent.map(({ authorization }) => authorization)
    },
  }
}

function proofsOf(authorization: string): unknown[] {
  const payload = Buffer.from(authorization.split('.')[1] ?? '', 'base64url').toString()
  return (JSON.parse(payload) as { prf: unknown[] }).prf
}
