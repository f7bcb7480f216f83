import { BadAnswerError } from '../errors.ts'
import type { HubInfo } from './transport.ts'

/** Bytes in the "megabyte" of `max_file_upload_size_megabytes`. */
const megabyte = 1_048_576
/** PROTOCOL 2.2's limit, where a hub does not tell its own. */
const defaultMaxUcanBytes = 16_384

/**
 * Reads the answer to `GET /hub_info`.
 * @throws {BadAnswerError} where the members that no client can do without are missing
 */
export function parseHubInfo(answer: unknown): HubInfo {
  const info = objectOf(answer)
  const { challenge_text: challengeText, read_url_prefix: readUrlPrefix } = info
  if (typeof challengeText !== 'string' || typeof readUrlPrefix !== 'string' || !isWebUrl(readUrlPrefix)) {
    throw new BadAnswerError('this is no hub: /hub_info has no challenge_text and read_url_prefix')
  }
  const megabytes = positiveOrNull(info.max_file_upload_size_megabytes)
  return {
    challengeText,
    readUrlPrefix: readUrlPrefix.endsWith('/') ? readUrlPrefix : `${readUrlPrefix}/`,
    directUploadThreshold: bytesOrNull(info.direct_upload_threshold),
    maxFileBytes: megabytes === null ? null : Math.floor(megabytes * megabyte),
    did: typeof info.hub_did === 'string' ? info.hub_did : null,
    maxUcanBytes: positiveOrNull(info.max_ucan_bytes) ?? defaultMaxUcanBytes,
    revocationMaxAgeSeconds: Number.isFinite(info.revocation_max_age_seconds)
      ? Number(info.revocation_max_age_seconds)
      : null,
    ucanVersions: textsOf(info.ucan_versions),
    extensions: textsOf(info.extensions),
    software: softwareOf(info.software),
  }
}

function softwareOf(value: unknown): HubInfo['software'] {
  const { name, version } = objectOf(value)
  return typeof name === 'string' && typeof version === 'string' ? { name, version } : null
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function textsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

function positiveOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null
}

function bytesOrNull(value: unknown): number | null {
  return Number.isSafeInteger(value) && Number(value) >= 0 ? Number(value) : null
}

/** Whether a text is an absolute URL of HTTP or HTTPS. */
export function isWebUrl(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
}
