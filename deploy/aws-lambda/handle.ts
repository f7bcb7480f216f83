import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda'
import { describeError } from '../../http/describe-error.ts'
import { forward } from '../functions/forward.ts'
import { type FunctionKind, startFunction } from '../functions/start-function.ts'
import type { Env } from '../process/config/env.ts'
import { refusalResult, resultOf } from './answer.ts'
import { requestOf } from './request.ts'

export type LambdaHandler = (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>

/** Starts hub or reader, once for each cold start, and gives the function that takes their requests. */
export async function lambdaHandler(kind: FunctionKind, env: Env = process.env): Promise<LambdaHandler> {
  const { port, logger } = await startFunction(kind, env)
  return async (event) => {
    try {
      return await resultOf(await forward(port, requestOf(event)))
    } catch (error) {
      logger.warn({ err: describeError(error) }, 'answered by the function itself')
      return refusalResult(error)
    }
  }
}
