import { MandateError } from '../../../client/errors.ts'

/** The error of this library that a promise rejects with; fails where it does not. */
export async function refusal(promise: Promise<unknown>): Promise<MandateError> {
  try {
    await promise
  } catch (error) {
    if (error instanceof MandateError) return error
    throw error
  }
  throw new Error('expected a refusal')
}

/** What a call throws. */
export function thrown(call: () => unknown): MandateError {
  try {
    call()
  } catch (error) {
    if (error instanceof MandateError) return error
    throw error
  }
  throw new Error('expected an error')
}
