import { Router } from 'express'
import { DriverError } from '../drivers/errors.ts'
import { nameRoute } from './request-context.ts'
import { sendJson } from './send-json.ts'

/** `null` when ready, else the class of the reason: a driver's error code, `timeout` or `error`. */
type Unreadiness = string | null

/** How long `check` may take before the server counts as not ready. */
const checkTimeoutMs = 2_000
/** How long an answer serves further probes. */
const answerMaxAgeMs = 1_000

export interface HealthOptions {
  /** Resolves when the server can do its work. */
  check: () => Promise<void>
  /** Milliseconds; the clock. */
  now?: () => number
}

/**
 * `GET /healthz`: 200 while the process serves at all. `GET /readyz`: 200 when `check` resolves within 2 s, else
 * 503 `{status: "unavailable", reason}` with `Retry-After`, `reason` being a class without details. However many
 * probes come, one `check` at most is under way, and one a second is begun.
 */
export function health(options: HealthOptions): Router {
  const readiness = joined(options)
  const router = Router()
  router.get('/healthz', (_req, res) => {
    nameRoute(res, 'healthz')
    res.setHeader('Cache-Control', 'no-store')
    sendJson(res, 200, { status: 'ok' })
  })
  router.get('/readyz', async (_req, res) => {
    nameRoute(res, 'readyz')
    res.setHeader('Cache-Control', 'no-store')
    const reason = await readiness()
    if (reason === null) sendJson(res, 200, { status: 'ok' })
    else sendJson(res.setHeader('Retry-After', '2'), 503, { status: 'unavailable', reason })
  })
  return router
}

/** Joins probes to the check under way, or to the last one while it is young. */
function joined({ check, now = Date.now }: HealthOptions): () => Promise<Unreadiness> {
  let last: { readonly answer: Promise<Unreadiness>; doneMs: number | null } | null = null
  return () => {
    if (last === null || (last.doneMs !== null && now() - last.doneMs >= answerMaxAgeMs)) {
      const current = { answer: classify(check), doneMs: null as number | null }
      void current.answer.then(() => {
        current.doneMs = now()
      })
      last = current
    }
    return withTimeout(last.answer)
  }
}

async function classify(check: () => Promise<void>): Promise<Unreadiness> {
  try {
    await check()
    return null
  } catch (error) {
    return error instanceof DriverError ? error.code : 'error'
  }
}

function withTimeout(answer: Promise<Unreadiness>): Promise<Unreadiness> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, checkTimeoutMs, 'timeout')
    void answer.then((reason) => {
      clearTimeout(timer)
      resolve(reason)
    })
  })
}
