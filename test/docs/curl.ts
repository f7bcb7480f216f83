/**
 * Stands in for curl where a machine has none: the options that the documents use, and nothing else. A
 * program of its own: `node curl.js <options> <url>`.
 */
import { buffer } from 'node:stream/consumers'

interface Call {
  url: string
  method: string
  headers: [string, string][]
  body: Buffer | null
  /** Text to print behind the body. */
  writeOut: string
}

const call = await readArguments(process.argv.slice(2))
const response = await fetch(call.url, {
  method: call.method,
  headers: call.headers,
  ...(call.body === null ? {} : { body: new Uint8Array(call.body) }),
})
process.stdout.write(Buffer.from(await response.arrayBuffer()))
process.stdout.write(
  call.writeOut.replaceAll('\\n', '\n').replaceAll('%{http_code}', String(response.status)),
)

async function readArguments(argv: readonly string[]): Promise<Call> {
  const read: Call = { url: '', method: '', headers: [], body: null, writeOut: '' }
  const rest = [...argv]
  for (let option = rest.shift(); option !== undefined; option = rest.shift()) {
    if (!option.startsWith('-')) read.url = option
    else if (option !== '-sS') await take(read, option, rest.shift() ?? '')
  }
  const isTyped = read.headers.some(([name]) => name.toLowerCase() === 'content-type')
  if (read.body !== null && !isTyped) read.headers.push(['Content-Type', 'application/x-www-form-urlencoded'])
  return { ...read, method: read.method || (read.body === null ? 'GET' : 'POST') }
}

async function take(read: Call, option: string, value: string): Promise<void> {
  switch (option) {
    case '-X':
      read.method = value
      return
    case '-H':
      read.headers.push([value.slice(0, value.indexOf(':')), value.slice(value.indexOf(':') + 1).trim()])
      return
    case '--data':
      read.body = Buffer.from(value)
      return
    case '--data-binary':
      read.body = value === '@-' ? await buffer(process.stdin) : Buffer.from(value)
      return
    case '-w':
      read.writeOut = value
      return
    default:
      throw new Error(`this stand-in for curl does not know ${option}`)
  }
}
