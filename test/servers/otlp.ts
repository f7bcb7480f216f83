import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as it came, ids in hex. */
export interface ReceivedSpan {
  name: string
  traceId: string
  spanId: string
  /** Empty for the first of a trace. */
  parentSpanId: string
  /** 2 for a server, 3 for a client (SpanKind of OTLP). */
  kind: number
  attributes: Record<string, string | number>
  isError: boolean
  /** Attributes of the resource. */
  resource: Record<string, string | number>
}

/** A collector of traces over OTLP/HTTP (protobuf), as far as these tests look. */
export interface OtlpReceiver {
  url: string
  spans: ReceivedSpan[]
  /** Headers of the last request. */
  headers: Record<string, unknown>
  close(): Promise<void>
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = []
  const receiver = { spans, headers: {} as Record<string, unknown> }
  const server: Server = createServer((req, res) => {
    const chunks: Buffer[] = []
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', () => {
      receiver.headers = req.headers
      if (req.url === '/v1/traces') spans.push(...readTraces(Buffer.concat(chunks)))
      res.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return Object.assign(receiver, {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  })
}

type Field = { number: number; value: Buffer | bigint }

/** The fields of one protobuf message, in order; nested messages stay bytes. */
function fields(bytes: Buffer): Field[] {
  const found: Field[] = []
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  const take = (length: number) => {
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const number = tag >> 3
    switch (tag & 7) {
      case 0:
        found.push({ number, value: varint() })
        break
      case 1:
        found.push({ number, value: take(8) })
        break
      case 2:
        found.push({ number, value: take(Number(varint())) })
        break
      case 5:
        found.push({ number, value: take(4) })
        break
      default:
        throw new Error(`wire type ${tag & 7} is not of protobuf 3`)
    }
  }
  return found
}

function all(bytes: Buffer, number: number): Buffer[] {
  return fields(bytes).flatMap((field) =>
    field.number === number && Buffer.isBuffer(field.value) ? [field.value] : [],
  )
}

function one(bytes: Buffer, number: number): Buffer {
  return all(bytes, number)[0] ?? Buffer.alloc(0)
}

function integer(bytes: Buffer, number: number): number {
  const found = fields(bytes).find((field) => field.number === number)?.value
  return typeof found === 'bigint' ? Number(found) : 0
}

/** Field numbers are those of opentelemetry/proto/trace/v1/trace.proto. */
function readTraces(request: Buffer): ReceivedSpan[] {
  return all(request, 1).flatMap((resourceSpans) => {
    const resource = attributes(all(one(resourceSpans, 1), 1))
    const spans = all(resourceSpans, 2).flatMap((scopeSpans) => all(scopeSpans, 2))
    return spans.map((span) => ({
      name: one(span, 5).toString(),
      traceId: one(span, 1).toString('hex'),
      spanId: one(span, 2).toString('hex'),
      parentSpanId: one(span, 4).toString('hex'),
      kind: integer(span, 6),
      attributes: attributes(all(span, 9)),
      isError: integer(one(span, 15), 3) === 2,
      resource,
    }))
  })
}

function attributes(pairs: readonly Buffer[]): Record<string, string | number> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const value = one(pair, 2)
      const [first] = fields(value)
      const isText = first?.number === 1
      return [one(pair, 1).toString(), isText ? one(value, 1).toString() : integer(value, first?.number ?? 0)]
    }),
  )
}
