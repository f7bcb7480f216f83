import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { localUrl } from './config/checks.ts'
import type { Config, Kind } from './config/schema.ts'

/** How long a server may take to say whether its storage can be used; it gives that 2 s itself. */
const answerMs = 4_000

/**
 * Asks the servers that this configuration starts on this machine whether they and their storage can be used, and
 * prints a line for each.
 * @returns whether all can
 */
export async function checkHealth(
  config: Config,
  kind: Kind,
  print: (line: string) => void,
): Promise<boolean> {
  const names = kind === 'both' ? (['hub', 'reader'] as const) : [kind]
  const answers = await Promise.all(names.map(async (name) => ({ name, ...(await ask(config, name)) })))
  for (const { name, text } of answers) print(`${name.padEnd(6)} ${text}`)
  return answers.every(({ isReady }) => isReady)
}

interface Answer {
  isReady: boolean
  text: string
}

async function ask(config: Config, name: 'hub' | 'reader'): Promise<Answer> {
  const { host, port, httpsPort } = config[name]
  // Probes are answered in plain HTTP wherever that is served at all.
  const isTls = config.enableHttps !== null && config.plainHttp === 'off'
  const asked = isTls ? httpsPort : port
  if (asked === 0) return { isReady: false, text: 'port 0 is any free one: which, only the server knows' }
  const url = `${localUrl(host, asked, isTls)}readyz`
  try {
    const status = await statusOf(url, isTls)
    return { isReady: status === 200, text: `${url} answers ${status}` }
  } catch (error) {
    return { isReady: false, text: `${url} does not answer: ${reason(error)}` }
  }
}

async function statusOf(url: string, isTls: boolean): Promise<number | undefined> {
  const signal = AbortSignal.timeout(answerMs)
  // Of one kept connection there is no use. The certificate is for the public name, and nothing secret is sent.
  const options = { signal, agent: false } as const
  const sent: ClientRequest = isTls
    ? requestTls(url, { ...options, rejectUnauthorized: false })
    : requestPlain(url, options)
  const answered = once(sent, 'response') as Promise<[IncomingMessage]>
  sent.end()
  const [answer] = await answered
  answer.resume()
  return answer.statusCode
}

/** Where a name has two addresses, both errors are within the one. */
function reason(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  return name === 'AbortError' ? `nothing within ${answerMs / 1000} s` : (code ?? message)
}
