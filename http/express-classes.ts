import { IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import express, { type Express } from 'express'

export interface MessageClasses {
  IncomingMessage: typeof IncomingMessage
  ServerResponse: typeof ServerResponse
}

const classesOf = new WeakMap<Express, MessageClasses>()

/**
 * Classes whose instances are an Express app's own kinds of request and response from the start, for
 * `http.createServer`; `null` for any other listener.
 *
 * Express gives each request and response its methods by replacing their prototype. V8 then forgets all that it
 * has learned about the shape of these objects, and everything that Node does with them gets slow: measured, that
 * is two thirds of what Express costs. An object that has the right prototype already is left alone.
 */
export function expressClasses(app: RequestListener | Express): MessageClasses | null {
  if (!isExpress(app)) return null
  const known = classesOf.get(app)
  if (known !== undefined) return known
  const made = makeClasses(app)
  classesOf.set(app, made)
  return made
}

function makeClasses(app: Express): MessageClasses {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, express.request)
  Object.setPrototypeOf(AppResponse.prototype, express.response)
  // What `express()` itself puts on an app: the prototypes that it will want, with a way back to the app.
  app.request = Object.assign(AppRequest.prototype, { app }) as unknown as Express['request']
  app.response = Object.assign(AppResponse.prototype, { app }) as unknown as Express['response']
  return { IncomingMessage: AppRequest, ServerResponse: AppResponse as typeof ServerResponse }
}

function isExpress(app: RequestListener | Express): app is Express {
  return 'request' in app && 'response' in app && 'handle' in app
}
