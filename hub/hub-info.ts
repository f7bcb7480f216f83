import type { RequestHandler } from 'express'
import { nameRoute } from '../http/request-context.ts'
import { sendJson } from '../http/send-json.ts'
import { software } from '../http/software.ts'
import { challengeText } from './auth/challenge.ts'
import { hubDid } from './auth/hub-did.ts'
import { maxUcanBytes, ucanVersions } from './auth/ucan/index.ts'
import type { Hub } from './hub.ts'
import type { HubOptions } from './options.ts'

/** What this hub can do beyond Gaia's protocol (PROTOCOL 2.7). */
const extensions = ['grants', 'ucan', 'revoke', 'list-prefix', 'did-key-addresses']

/** `GET /hub_info`: what a client must know before it signs and sends (PROTOCOL 1.2). */
export function hubInfo(options: HubOptions, hub: Hub): RequestHandler {
  const info = {
    challenge_text: challengeText(options.serverName),
    latest_auth_version: 'v1',
    max_file_upload_size_megabytes: options.maxFileUploadSizeMegabytes,
    read_url_prefix: hub.readUrlPrefix,
    hub_did: hubDid(options.serverName),
    ucan_versions: ucanVersions,
    revocation_max_age_seconds: options.revocationMaxAgeSeconds,
    max_ucan_bytes: maxUcanBytes,
    direct_upload_threshold: hub.directUpload?.thresholdBytes ?? null,
    extensions: hub.directUpload === null ? extensions : [...extensions, 'direct-upload'],
    software,
  }
  return (_req, res) => {
    nameRoute(res, 'hub_info')
    sendJson(res, 200, info)
  }
}
