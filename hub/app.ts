import express, { type Express, type Request, type Response } from 'express'
import { apiDocs } from '../http/api-docs/api-docs.ts'
import { baseApp } from '../http/base-app.ts'
import { removeFile } from './delete.ts'
import { presignUpload } from './direct-upload.ts'
import { depositGrant } from './grant.ts'
import { createHub, type Hub } from './hub.ts'
import { hubInfo } from './hub-info.ts'
import { listFiles } from './list-files.ts'
import { listGrants } from './list-grants.ts'
import { hubDocument } from './openapi/index.ts'
import type { HubOptions } from './options.ts'
import { revoke } from './revoke.ts'
import { revokeAll } from './revoke-all.ts'
import { storeFile } from './store.ts'
import { nameTarget } from './target.ts'

export type { HubOptions } from './options.ts'

/** Bodies of requests that are JSON: a page name, a timestamp. */
const maxJsonBytes = 64 * 1024

/** The write side (PROTOCOL 1.2): an Express app that turns each request into one authorized storage operation. */
export function hubApp(options: HubOptions): Express {
  const hub = createHub(options)
  // Old clients send JSON under other types, or under none.
  const json = [nameTarget, express.json({ limit: maxJsonBytes, type: () => true, inflate: false })]

  return baseApp(
    {
      logger: options.logger,
      check: () => options.driver.check(),
      methods: ['DELETE', 'POST', 'PUT', 'GET', 'OPTIONS', 'HEAD'],
      exposedHeaders: ['ETag'],
      instruments: hub.instruments,
      hsts: options.hsts ?? false,
      ...(options.peerLimit === undefined ? {} : { peerLimit: options.peerLimit }),
    },
    (app) => {
      // Express would decode parameters; the routes match the target as it was sent, and target.ts reads it.
      app.get(/^\/hub_info\/?$/, hubInfo(options, hub))
      app.post(/^\/store\/[a-zA-Z0-9]+\//, operation(hub, storeFile))
      app.post(/^\/upload\/[a-zA-Z0-9]+\//, json, operation(hub, presignUpload))
      app.delete(/^\/delete\/[a-zA-Z0-9]+\//, operation(hub, removeFile))
      app.post(/^\/list-files\/[a-zA-Z0-9]+\/?$/, json, operation(hub, listFiles))
      app.post(/^\/revoke-all\/[a-zA-Z0-9]+\/?$/, json, operation(hub, revokeAll))
      app.post(/^\/grant\/[a-zA-Z0-9]+\/?$/, json, operation(hub, depositGrant))
      app.post(/^\/list-grants\/[a-zA-Z0-9]+\/?$/, json, operation(hub, listGrants))
      app.post(/^\/revoke\/[a-zA-Z0-9]+\/?$/, json, operation(hub, revoke))
      app.use(apiDocs(hubDocument))
    },
  )
}

type Operation = (hub: Hub, req: Request, res: Response) => Promise<void>

/** Express 5 hands a rejection on to the one renderer of errors. */
function operation(hub: Hub, run: Operation): (req: Request, res: Response) => Promise<void> {
  return (req, res) => run(hub, req, res)
}
