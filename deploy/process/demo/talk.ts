/** What came back from a server, its body read as text. */
export interface Answer {
  status: number
  headers: Headers
  text: string
}

export interface Request {
  method: 'GET' | 'POST' | 'DELETE'
  url: string
  headers?: Record<string, string>
  body?: string
}

/** A step did not do what it says. */
export class DemoError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DemoError'
  }
}

export interface Talk {
  /** Begins a numbered step. */
  step(title: string): void
  /** A line below a step. */
  say(line: string): void
  /** Sends a request, shows it and what came back, and expects a status. @throws {DemoError} */
  send(request: Request, expectedStatus: number): Promise<Answer>
  /** @throws {DemoError} where the claim is false */
  check(claim: string, holds: boolean): void
}

/** Headers that are worth a line; a token is shown as such. */
const shownHeaders = ['authorization', 'content-type', 'if-match', 'if-none-match', 'etag']

export function makeTalk(print: (line: string) => void): Talk {
  let steps = 0
  const showHeaders = (headers: Headers) => {
    for (const name of shownHeaders) {
      const value = headers.get(name)
      if (value !== null)
        print(`       ${name}: ${shorten(name === 'authorization' ? maskToken(value) : value)}`)
    }
  }
  return {
    step(title) {
      steps += 1
      print(`\n${steps}. ${title}`)
    },
    say: (line) => print(`     ${line}`),
    async send({ method, url, headers = {}, body }, expectedStatus) {
      print(`  -> ${method} ${url}`)
      showHeaders(new Headers(headers))
      if (body !== undefined) print(`       ${shorten(maskUcan(body))}`)
      const response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
      const text = await response.text()
      print(`  <- ${response.status} ${response.statusText}`)
      showHeaders(response.headers)
      if (text !== '') print(`       ${shorten(text)}`)
      if (response.status !== expectedStatus) {
        throw new DemoError(`expected status ${expectedStatus}, got ${response.status}`)
      }
      return { status: response.status, headers: response.headers, text }
    },
    check(claim, holds) {
      if (!holds) throw new DemoError(`expected that ${claim}`)
      print(`  ok: ${claim}`)
    },
  }
}

function maskToken(value: string): string {
  return value.replace(/((?:v1|ucan):.{6}).*/, '$1… (a signed token, shortened)')
}

function maskUcan(body: string): string {
  return body.replace(/("ucan":".{6})[^"]*/, '$1… (a signed delegation, shortened)')
}

function shorten(text: string): string {
  return text.length > 160 ? `${text.slice(0, 160)}…` : text
}
