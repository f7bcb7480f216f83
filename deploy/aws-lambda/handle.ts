import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import { describeError } from '../../http/describe-error.ts'
import { WireError } from '../../http/errors.ts'
import { forward } from '../functions/forward.ts'
import { type FunctionKind, startFunction } from '../functions/start-function.ts'
import type { Env } from '../process/config/env.ts'
import { refusalResult, resultOf } from './answer.ts'
import { requestOf } from './request.ts'

export type LambdaHandler = (
  event: APIGatewayProxyEventV2,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<APIGatewayProxyStructuredResultV2>

/**
 * Lambda ends a function that takes too long, and its answer to the client is one that no browser lets a page read. So
 * much earlier the function says so itself, or by a quarter of its time where that is short.
 */
const marginMs = 1_500

/** Starts hub or reader, once for each cold start, and gives the function that takes their requests. */
export async function lambdaHandler(kind: FunctionKind, env: Env = process.env): Promise<LambdaHandler> {
  const { port, logger } = await startFunction(kind, env)
  return async (event, context) => {
    const signal = endingWithin(context.getRemainingTimeInMillis())
    try {
      return await resultOf(await forward(port, requestOf(event), signal))
    } catch (error) {
      const refusal = signal.aborted ? outOfTime(error) : error
      logger.warn({ err: describeError(refusal) }, 'answered by the function itself')
      return refusalResult(refusal)
    }
  }
}

/** @param leftMs until Lambda ends the function */
function endingWithin(leftMs: number): AbortSignal {
  const timeMs = Math.floor(leftMs - Math.min(marginMs, leftMs / 4))
  return timeMs > 0 ? AbortSignal.timeout(timeMs) : AbortSignal.abort()
}

function outOfTime(cause: unknown): WireError {
  return new WireError('unavailable', 'the answer did not come in time', { cause })
}
