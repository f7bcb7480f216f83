import { namesKey } from '../../did.ts'
import type { UcanCapability } from '../../sign-ucan.ts'
import type { CliContext } from '../context.ts'
import { formatBytes, formatSpan, formatTime } from '../terminal/units.ts'

const abilityWords: Readonly<Record<string, string>> = {
  'gaia/store': 'store',
  'gaia/archive': 'store and delete, keeping history,',
  'gaia/delete': 'delete',
  'gaia/list': 'list',
  'gaia/grant': 'deposit and list grants for',
  'gaia/*': 'store, delete and list',
  '*': 'do everything with',
}

/** `store files below photos/ of 1PQ…, at most 1.0 MiB each`. */
export function capabilityText({ with: resource, can, nb = {} }: UcanCapability): string {
  const ability = abilityWords[can] ?? can
  return [`${ability} ${placeText(resource)}`, ...caveatTexts(nb)].join(', ')
}

function placeText(resource: string): string {
  const [, address = '', path = ''] = /^gaia:\/\/([^/]*)\/?(.*)$/s.exec(resource) ?? []
  if (path === '') return `everything of ${address}`
  return path.endsWith('/') ? `what is below ${path} of ${address}` : `the file ${path} of ${address}`
}

function caveatTexts({ maxSize, contentType, createOnly }: NonNullable<UcanCapability['nb']>): string[] {
  return [
    ...(maxSize === undefined ? [] : [`at most ${formatBytes(maxSize)} a file`]),
    ...(contentType === undefined ? [] : [`only ${contentType.join(' or ')}`]),
    ...(createOnly === true ? ['new files only'] : []),
  ]
}

/** When something ends, seen from now. @param expiration seconds since 1970; `null` for never */
export function expiryText(expiration: number | null, nowMs: number): string {
  if (expiration === null) return 'does not expire'
  const left = expiration - nowMs / 1000
  const when = `${formatTime(expiration)} UTC`
  return left > 0 ? `until ${when} (${formatSpan(left)} left)` : `expired at ${when}`
}

/** Says of DIDs which keys of this machine they are. */
export async function nameDids(context: CliContext): Promise<(did: string) => string> {
  const keys = await context.keys.list()
  return (did) => {
    const known = keys.find((key) => namesKey(did, key.did))
    return known === undefined ? did : `${did} (${known.name})`
  }
}
