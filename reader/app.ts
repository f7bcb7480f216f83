import type { Express } from 'express'
import type { Logger } from 'pino'
import type { Driver } from '../drivers/driver.ts'
import { apiDocs } from '../http/api-docs/api-docs.ts'
import { baseApp } from '../http/base-app.ts'
import type { HttpInstruments } from '../http/instruments.ts'
import type { PeerLimit } from '../http/peer-limit.ts'
import { readerDocument } from './openapi.ts'
import { readerMethods, readFile } from './read-file.ts'
import { type RedirectOptions, redirectBy } from './redirect.ts'

export type { RedirectOptions } from './redirect.ts'

export interface ReaderOptions {
  driver: Pick<Driver, 'stat' | 'read' | 'check'>
  logger: Logger
  /** `Cache-Control` of every file. */
  cacheControl: string
  /** What stands before the address in a path, beginning and ending in `/`; `/` by default. */
  prefix?: string
  /** Where clients get the bytes of files; from the reader itself without it. */
  redirect?: RedirectOptions
  /** `Strict-Transport-Security`: only where the public name is served by HTTPS alone. */
  hsts?: boolean
  /** How many requests one peer may make; without it any number. */
  peerLimit?: PeerLimit
  instruments?: HttpInstruments
}

/** PROTOCOL 1.8. */
const exposedHeaders = ['Content-Type', 'ETag', 'Content-Length', 'Content-Range', 'Last-Modified']

/** The read side: files at `<prefix><address>/<path>`, the same over every driver, and the health routes. */
export function readerApp({
  driver,
  logger,
  cacheControl,
  prefix = '/',
  hsts = false,
  redirect: redirection,
  ...watching
}: ReaderOptions): Express {
  if (!/^\/(?:.*\/)?$/.test(prefix)) throw new TypeError('the prefix must begin and end with a slash')
  const check = () => driver.check()
  const redirect = redirection === undefined ? null : redirectBy(redirection, cacheControl)
  return baseApp({ logger, check, methods: readerMethods, exposedHeaders, hsts, ...watching }, (app) => {
    app.use(apiDocs(readerDocument(prefix)))
    app.use(readFile({ driver, cacheControl, prefix, redirect }))
  })
}
