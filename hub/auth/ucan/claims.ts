import { UcanError } from './errors.ts'
import { isObject, type Json, type JsonObject, member } from './strict-json.ts'

/** Typed access to the claims of one token; what is not as it should be is `malformed` and names the claim. */
export class Claims {
  readonly #object: JsonObject
  readonly #link: number
  readonly #prefix: string

  /** @param prefix put before a claim's name in messages: `header.` for the header's members */
  constructor(object: JsonObject, link: number, prefix = '') {
    this.#object = object
    this.#link = link
    this.#prefix = prefix
  }

  refuse(claim: string, expected: string): UcanError {
    return new UcanError('malformed', { link: this.#link, claim: this.#prefix + claim, expected })
  }

  /** What no bound of PROTOCOL 2.2 allows is `too-large`, however well it is formed. */
  tooLarge(claim: string, expected: string): UcanError {
    return new UcanError('too-large', { link: this.#link, claim: this.#prefix + claim, expected })
  }

  /** `undefined` where the claim is absent. */
  get(claim: string): Json | undefined {
    return member(this.#object, claim)
  }

  refusePresent(claim: string, expected: string): void {
    if (this.get(claim) !== undefined) throw this.refuse(claim, expected)
  }

  text(claim: string): string {
    const value = this.get(claim)
    if (typeof value !== 'string') throw this.refuse(claim, 'a string')
    return value
  }

  list(claim: string): Json[] {
    const value = this.get(claim)
    if (!Array.isArray(value)) throw this.refuse(claim, 'an array')
    return value
  }

  map(claim: string): JsonObject {
    const value = this.get(claim)
    if (!isObject(value)) throw this.refuse(claim, 'an object')
    return value
  }

  /** Seconds since 1970; `null` where the claim is absent. */
  optionalTime(claim: string): number | null {
    return this.get(claim) === undefined ? null : this.time(claim)
  }

  time(claim: string): number {
    const value = this.get(claim)
    if (!isTime(value)) throw this.refuse(claim, 'a time in whole seconds since 1970')
    return value
  }
}

/** Whether a value is a time as tokens may carry it: a safe non-negative integer. */
export function isTime(value: Json | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
