import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestPolicyFactory } from '@azure/storage-blob'
import { isPassing } from './errors.ts'

export interface RetryOptions {
  /** How often a request is sent at most, at least 1. */
  readonly maxTries: number
  /** The longest wait before the second try; doubled for each one after it. Milliseconds. */
  readonly baseDelayMs: number
  /** The longest wait of all, in milliseconds. */
  readonly maxDelayMs: number
  /** From 0 to below 1. */
  readonly random: () => number
}

/**
 * Sends a request again when the service is under load or the network fails. The SDK's own policy sends the second
 * one at once and all others after fixed times: many clients that were refused together come back together. So it
 * is switched off (`maxTries: 1`) for this one, which waits a random part of a growing time. Every body that this
 * driver sends is a buffer, so it can be sent again.
 */
export function retryPolicy(options: RetryOptions): RequestPolicyFactory {
  return {
    create: (next) => ({
      async sendRequest(request) {
        for (let tries = 1; ; tries++) {
          try {
            return await next.sendRequest(request)
          } catch (error) {
            const isOver = tries >= options.maxTries || request.abortSignal?.aborted === true
            if (isOver || !isPassing(error)) throw error
            await sleep(delayAfter(tries, options))
          }
        }
      },
    }),
  }
}

/** Milliseconds to wait after so many tries. */
export function delayAfter(tries: number, { baseDelayMs, maxDelayMs, random }: RetryOptions): number {
  return random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (tries - 1))
}
