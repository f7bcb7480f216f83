import { type DescribedOperation, jsonAnswer, readable } from '../../http/api-docs/document.ts'
import { refusals } from '../../http/api-docs/refusals.ts'
import type { DescribedRoutes } from './operation.ts'
import { text, wholeNumber } from './schema.ts'

const hubInfo: DescribedOperation = {
  operationId: 'hubInfo',
  summary: 'What a client must know before it signs and sends',
  description: 'At `/hub_info/` too.',
  tags: ['hub'],
  responses: {
    '200': jsonAnswer('What this hub is.', 'HubInfo', {
      challenge_text: '["gaiahub","0","hub.example","blockstack_storage_please_sign"]',
      latest_auth_version: 'v1',
      max_file_upload_size_megabytes: 20,
      read_url_prefix: 'https://files.example/',
      hub_did: 'did:web:hub.example',
      ucan_versions: ['0.8', '0.9', '0.10'],
      revocation_max_age_seconds: 5,
      max_ucan_bytes: 16384,
      direct_upload_threshold: null,
      extensions: ['grants', 'ucan', 'revoke', 'list-prefix', 'did-key-addresses'],
      software: { name: 'mandate', version: '0.1.0' },
    }),
    ...refusals([]),
  },
}

/** What tells of the hub itself. */
export const infoRoutes = {
  paths: { '/hub_info': readable(hubInfo) },
  schemas: {
    HubInfo: {
      type: 'object',
      required: [
        'challenge_text',
        'latest_auth_version',
        'max_file_upload_size_megabytes',
        'read_url_prefix',
        'hub_did',
        'ucan_versions',
        'revocation_max_age_seconds',
        'max_ucan_bytes',
        'direct_upload_threshold',
        'extensions',
        'software',
      ],
      properties: {
        challenge_text: { type: 'string', description: 'What a v1 token holds as `gaiaChallenge`.' },
        latest_auth_version: { const: 'v1' },
        max_file_upload_size_megabytes: { type: 'number', description: 'In units of 1,048,576 bytes.' },
        read_url_prefix: {
          type: 'string',
          format: 'uri',
          description: 'Ends in `/`; `<address>/<path>` follows.',
        },
        hub_did: { type: 'string', description: 'The audience of invocations.' },
        ucan_versions: { type: 'array', items: text },
        revocation_max_age_seconds: { type: 'number', minimum: 0 },
        max_ucan_bytes: wholeNumber,
        direct_upload_threshold: {
          type: ['integer', 'null'],
          minimum: 0,
          description: 'Bytes above which `/upload` serves better than `/store`; null where there is none.',
        },
        extensions: { type: 'array', items: text },
        software: {
          type: 'object',
          required: ['name', 'version'],
          properties: { name: text, version: text },
        },
      },
    },
  },
} satisfies DescribedRoutes
