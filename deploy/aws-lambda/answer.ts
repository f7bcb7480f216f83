import type { IncomingMessage } from 'node:http'
import type { APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { WireError } from '../../http/errors.ts'
import { answerHeaders } from '../functions/forward.ts'
import { refusalOf } from '../functions/refusal.ts'

/** Lambda's bound for an answer is 6 MB of JSON; in it a body is base64, and beside it stand its headers. */
export const maxAnswerBytes = Math.floor(((6 * 1024 * 1024 - 64 * 1024) / 4) * 3)

/**
 * An answer as Lambda takes it. The body is base64 whatever it is: so each byte survives, text that is not valid UTF-8
 * too, and its size in JSON is known.
 * @throws {WireError} where it is larger than Lambda lets through
 */
export async function resultOf(answer: IncomingMessage): Promise<APIGatewayProxyStructuredResultV2> {
  const body = await bodyOf(answer)
  return {
    statusCode: answer.statusCode ?? 500,
    headers: Object.fromEntries(answerHeaders(answer)),
    body: body.toString('base64'),
    isBase64Encoded: true,
  }
}

export function refusalResult(error: unknown): APIGatewayProxyStructuredResultV2 {
  const { status, headers, body } = refusalOf(error)
  return { statusCode: status, headers: Object.fromEntries(headers), body, isBase64Encoded: false }
}

/** By count: the answer to a `HEAD` tells a length that it has not. */
async function bodyOf(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // Leaving the loop destroys the answer: no more of it is read.
    if (bytes > maxAnswerBytes) throw tooLarge()
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function tooLarge(): WireError {
  return new WireError(
    'payload_too_large',
    `answers over ${maxAnswerBytes} bytes do not pass through this function; ask for ranges of the file, or have the operator set reader.redirect`,
  )
}
