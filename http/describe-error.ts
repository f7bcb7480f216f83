/** What the log keeps of an error. */
export interface ErrorDescription {
  name: string
  message: string
  code?: string
  stack?: string
  cause?: ErrorDescription
}

/** Longer chains of causes are cut. */
const maxCauses = 4

/**
 * For logs. Only the members named here are kept, because libraries hang whole requests on their errors, and
 * whatever looks like a token is blotted out, because some put it into the message.
 */
export function describeError(error: unknown, depth = 0): ErrorDescription {
  if (!(error instanceof Error)) return { name: typeof error, message: blot(String(error)) }
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    message: blot(error.message),
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: blot(error.stack) }),
    ...(error.cause === undefined || depth >= maxCauses
      ? {}
      : { cause: describeError(error.cause, depth + 1) }),
  }
}

/** Three base64url segments, or what follows a bearer scheme or a `v1:` or `ucan:` prefix. */
const tokens = /[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=\b(?:bearer\s|v1:|ucan:))\S+/gi

function blot(text: string): string {
  return text.replace(tokens, '[token]')
}
