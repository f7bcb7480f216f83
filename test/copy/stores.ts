import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { joinListings } from '../../deploy/process/copy/join-listings.ts'
import type { Driver, ObjectInfo } from '../../drivers/driver.ts'
import { type Address, parseAddress } from '../../drivers/key.ts'
import { parseKey } from '../../drivers/parse-key.ts'

export const alice: Address = parseAddress('1ALiceXXXXXXXXXXXXXXXXXXXXXXXXXXXX')
export const bob: Address = parseAddress('1BobXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX')

/** What a storage holds at a key, by its whole name: type and text. */
export type Content = Record<string, readonly [type: string, text: string]>

export async function put(
  driver: Driver,
  name: string,
  text: string,
  type = 'text/plain',
): Promise<ObjectInfo> {
  return await driver.write(parseKey(name), Readable.from([Buffer.from(text)]), { contentType: type })
}

export async function fill(driver: Driver, content: Content): Promise<void> {
  for (const [name, [type, text]] of Object.entries(content)) await put(driver, name, text, type)
}

export async function textAt(driver: Driver, name: string): Promise<string | null> {
  const found = await driver.read(parseKey(name))
  return found === null ? null : (await buffer(found.body)).toString()
}

/** Everything of some addresses, files and records. */
export async function contentOf(
  driver: Driver,
  addresses: readonly string[] = [alice, bob],
): Promise<Content> {
  const content: Record<string, readonly [string, string]> = {}
  for (const address of addresses) {
    for (const bucket of [`${address}-auth/`, `${address}/`]) {
      for await (const { key } of joinListings(driver, driver, bucket)) {
        const found = await driver.read(key)
        if (found === null) continue
        content[key] = [found.info.contentType, (await buffer(found.body)).toString()]
      }
    }
  }
  return content
}

/** A driver that does something of a test's own at some calls. */
export function altered(driver: Driver, changes: Partial<Driver>): Driver {
  return new Proxy(driver, {
    get(target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(changes, name) ? changes : target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Two addresses with all that goes along: types, awkward names, history, records. */
export const twoOwners: Content = {
  [`${alice}-auth/authTimestamp`]: ['text/plain; charset=UTF-8', '1700000000'],
  [`${alice}-auth/grants/bafkreigrant.json`]: ['application/json', '{"version":1,"cid":"bafkreigrant"}'],
  [`${alice}-auth/revocations/${'ab'.repeat(32)}.json`]: ['application/json', '{"version":1}'],
  [`${alice}/notes/.history.1700000000000.AbCdEfGhIj.a.txt`]: ['text/plain', 'former'],
  [`${alice}/notes/a.txt`]: ['text/plain; charset=utf-8', 'now'],
  [`${alice}/notes/100% #1 + ü?.json`]: ['application/json', '{}'],
  [`${alice}/empty`]: ['application/octet-stream', ''],
  [`${bob}/photo`]: ['image/png', 'x'.repeat(70_000)],
}
