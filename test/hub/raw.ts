import { connect, type Socket } from 'node:net'
import type { AnswerBody } from './harness.ts'

/** An answer as it stood on the wire. */
export interface RawAnswer {
  status: number
  /** Names in lower case. */
  headers: Record<string, string>
  body: string
  /** The body as JSON; throws where it is none. */
  json(): AnswerBody
}

/** A connection on which a test writes what it likes; nothing is normalized on the way. */
export interface RawConnection {
  readonly socket: Socket
  write(bytes: string | Uint8Array): void
  /** Says that nothing more will come, and stays open for the answer. */
  endHalf(): void
  /** Breaks the connection off, as a client does that crashes. */
  reset(): void
  /** The first answer that is complete, else a rejection when the connection ends without one. */
  readonly answer: Promise<RawAnswer>
}

export function openRaw(port: number): RawConnection {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true })
  const answer = readRawAnswer(socket)
  // A test that breaks the connection off does not look at the answer.
  answer.catch(() => undefined)
  return {
    socket,
    write: (bytes) => void socket.write(bytes),
    endHalf: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
    answer,
  }
}

/** Sends one request whole and gives its answer. `headers` stand as they are. */
export async function sendRaw(
  port: number,
  { method, target, headers = {}, body = '' }: RawRequest,
): Promise<RawAnswer> {
  const connection = openRaw(port)
  try {
    connection.write(
      rawHead(method, target, { 'Content-Length': String(Buffer.byteLength(body)), ...headers }),
    )
    if (body !== '') connection.write(body)
    return await connection.answer
  } finally {
    connection.socket.destroy()
  }
}

export interface RawRequest {
  method: string
  /** In Latin-1: one character, one byte. */
  target: string
  headers?: Record<string, string>
  body?: string
}

/** Request line and headers. */
export function rawHead(method: string, target: string, headers: Record<string, string>): Uint8Array {
  const lines = Object.entries({ Host: 'hub.example', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}

function readRawAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const answer = parseAnswer(received)
      if (answer !== null) resolve(answer)
    })
    socket.on('error', reject)
    socket.on('end', () => {
      socket.destroy()
    })
    socket.on('close', () => reject(new Error('the connection ended without a whole answer')))
  })
}

/** `null` while something is missing. `100 Continue` is skipped; every answer of ours has a Content-Length or no body. */
function parseAnswer(bytes: Buffer): RawAnswer | null {
  const end = bytes.indexOf('\r\n\r\n')
  if (end < 0) return null
  const [statusLine = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(statusLine.split(' ')[1])
  if (status === 100) return parseAnswer(bytes.subarray(end + 4))
  const headers = Object.fromEntries(
    lines.map((line) => [
      line.slice(0, line.indexOf(':')).toLowerCase(),
      line.slice(line.indexOf(':') + 1).trim(),
    ]),
  )
  const length = Number(headers['content-length'] ?? 0)
  const body = bytes.subarray(end + 4)
  if (body.length < length) return null
  const text = body.subarray(0, length).toString()
  return { status, headers, body: text, json: () => JSON.parse(text) as AnswerBody }
}
