import { maxPresignSeconds, type PresignUploadOptions } from './driver.ts'
import { DriverError } from './errors.ts'

/** @throws `backend` for a life that the contract does not allow */
export function checkLife(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= maxPresignSeconds) return
  throw new DriverError('backend', `what is presigned lasts for 1 to ${maxPresignSeconds} whole seconds`)
}

/** @throws `backend` for a size or life that the contract does not allow */
export function checkUpload({ expiresInSeconds, size }: PresignUploadOptions, maxBytes: number): void {
  checkLife(expiresInSeconds)
  if (Number.isSafeInteger(size) && size >= 0 && size <= maxBytes) return
  throw new DriverError('backend', `a presigned upload has 0 to ${maxBytes} bytes`)
}
