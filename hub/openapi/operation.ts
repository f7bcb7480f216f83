import { type DescribedApi, type DescribedOperation, ref } from '../../http/api-docs/document.ts'
import { storageFaults } from '../../http/api-docs/refusals.ts'
import type { ErrorCode } from '../../http/errors.ts'

/** Routes that belong together, and the schemas that they alone name. */
export type DescribedRoutes = Required<Pick<DescribedApi, 'paths' | 'schemas'>>

/** What every operation on an address may be refused with, before anything of its own. */
export const authorized: readonly ErrorCode[] = [
  'unauthorized',
  'token_too_old',
  'bad_path',
  ...storageFaults,
]

/** An operation that needs a credential. */
export function signed(operation: DescribedOperation): DescribedOperation {
  return { ...operation, security: [{ bearer: [] }] }
}

export function jsonBody(schema: string, example: unknown) {
  return {
    required: true,
    content: { 'application/json': { schema: ref('schemas', schema), example } },
  }
}
