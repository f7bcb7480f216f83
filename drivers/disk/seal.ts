import { nativeCalls } from './native.ts'
import type { FileIdentity, Version } from './version.ts'

/**
 * Etag and content type in an extended attribute of the data file, where the file system has such: the rename
 * that puts the bytes in place puts them in place too. The form is binary and short, so that with a usual type
 * it fits into the inode: format (1 byte), etag (16), size (8), time of change in ns (8), content type (UTF-8).
 */
const attribute = 'user.mandate'
const format = 1
const headBytes = 33

/**
 * Seals a file whose bytes are all written.
 * @returns false where the file system has no attributes or no room for this one
 */
export function seal(fd: number, file: FileIdentity, etag: string, contentType: string): boolean {
  const head = Buffer.alloc(headBytes)
  head.writeUInt8(format, 0)
  head.write(etag, 1, 16, 'hex')
  head.writeBigUInt64BE(BigInt(file.size), 17)
  head.writeBigInt64BE(BigInt(file.mtimeNs), 25)
  try {
    nativeCalls().setAttrSync(fd, attribute, Buffer.concat([head, Buffer.from(contentType)]))
    return true
  } catch {
    // Whatever the reason (ENOTSUP, ENOSPC, E2BIG, EPERM): the sidecar holds the same, at the price of a sync.
    return false
  }
}

/**
 * The version that a file says it is; `null` where it says nothing, or its bytes have changed since: a program
 * that writes in place leaves the attribute and changes the time.
 */
export function unseal(fd: number, file: FileIdentity): Version | null {
  const value = readAttribute(fd)
  if (value === null || value.length <= headBytes || value.readUInt8(0) !== format) return null
  if (value.readBigUInt64BE(17) !== BigInt(file.size)) return null
  if (value.readBigInt64BE(25) !== BigInt(file.mtimeNs)) return null
  return {
    ...file,
    etag: value.toString('hex', 1, 17),
    contentType: value.toString('utf8', headBytes),
    sealed: true,
  }
}

function readAttribute(fd: number): Buffer | null {
  try {
    return nativeCalls().getAttrSync(fd, attribute)
  } catch {
    // The system's word for "no such attribute" differs; the sidecar tells what there is to tell.
    return null
  }
}
