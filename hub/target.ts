import type { NextFunction, Request, Response } from 'express'
import { type Address, decodePath, fileKey, type Key, type Path, parseAddress } from '../drivers/key.ts'
import { rawPath } from '../http/raw-path.ts'
import { nameRoute } from '../http/request-context.ts'

/** The file that a request is about. */
export interface FileTarget {
  address: Address
  path: Path
  key: Key
}

/**
 * Reads `/<operation>/<address>/<path>` from the request target as it was sent: Express would hand on its
 * parameters decoded, and a path must be decoded exactly once, by the one parser.
 * @throws {KeyError} for a path that PROTOCOL 1.7 refuses
 */
export function fileTarget(req: Request, res: Response): FileTarget {
  const [, operation = '', bucket = '', ...segments] = rawPath(req.url).split('/')
  const address = namedAddress(res, operation, bucket)
  const path = decodePath(segments.join('/'))
  return { address, path, key: fileKey(address, path) }
}

/** Reads `/<operation>/<address>`. @throws {KeyError} */
export function bucketTarget(req: Request, res: Response): Address {
  const [, operation = '', bucket = ''] = rawPath(req.url).split('/')
  return namedAddress(res, operation, bucket)
}

/** For before a body is read, so that the log knows what it was for where it cannot be read. @throws {KeyError} */
export function nameTarget(req: Request, res: Response, next: NextFunction): void {
  bucketTarget(req, res)
  next()
}

function namedAddress(res: Response, operation: string, bucket: string): Address {
  const address = parseAddress(bucket)
  nameRoute(res, operation, address)
  return address
}
