import { type DescribedOperation, jsonAnswer, openApiDocument } from '../http/api-docs/document.ts'
import { refusals, storageFaults } from '../http/api-docs/refusals.ts'
import type { ErrorCode } from '../http/errors.ts'

const address = '1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2'
const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const bob = 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'

/** What every operation on an address may be refused with, before anything of its own. */
const authorized: readonly ErrorCode[] = ['unauthorized', 'token_too_old', 'bad_path', ...storageFaults]

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` })
const addressParameter = ref('parameters', 'Address')
const fileParameters = [addressParameter, ref('parameters', 'Path')]
const conditions = [ref('parameters', 'IfMatch'), ref('parameters', 'IfNoneMatch')]
const proofs = ref('parameters', 'Ucans')

function jsonBody(schema: string, example: unknown) {
  return {
    required: true,
    content: { 'application/json': { schema: ref('schemas', schema), example } },
  }
}

const store: DescribedOperation = {
  operationId: 'store',
  summary: 'Store a file',
  description:
    'The body becomes the file, whole, or nothing changes. Without a condition it overwrites. 202 means that it is stored durably.',
  tags: ['files'],
  parameters: [...fileParameters, ...conditions, proofs],
  requestBody: {
    description:
      'The file, byte for byte. Its Content-Type is kept as it is; application/octet-stream without one.',
    content: { '*/*': { schema: {} } },
  },
  responses: {
    '202': jsonAnswer('The file is stored.', 'Stored', {
      publicURL: `https://files.example/${address}/photos/cat.jpg`,
      etag: '"5f1c0e"',
    }),
    ...refusals(
      [
        ...authorized,
        'invalid_input',
        'not_enough_proofs',
        'not_authorized',
        'not_found',
        'conflict',
        'precondition_failed',
        'payload_too_large',
      ],
      { not_found: "The address is one of the hub's own records, which no request may store." },
    ),
  },
}

const upload: DescribedOperation = {
  operationId: 'upload',
  summary: 'Ask for a direct upload',
  description:
    'Answers the one request by which a file of this size and type can be brought to the storage itself, which holds it to that, and to the conditions that came with this one. Allowed exactly where a store is. A credential that archives can upload what is new only.',
  tags: ['files'],
  parameters: [...fileParameters, ...conditions, proofs],
  requestBody: jsonBody('DescribedFile', { size: 73400320, contentType: 'video/mp4' }),
  responses: {
    '200': jsonAnswer('Send this, headers and all, within its time.', 'DirectUpload', {
      method: 'PUT',
      url: `https://bucket.s3.eu-central-1.amazonaws.com/${address}/film.mp4?X-Amz-Signature=5f1c0e`,
      headers: { 'Content-Length': '73400320', 'Content-Type': 'video/mp4', 'Cache-Control': 'no-cache' },
      expires: 1782864060,
      etagHeader: 'ETag',
      publicURL: `https://files.example/${address}/film.mp4`,
    }),
    ...refusals(
      [
        ...authorized,
        'invalid_input',
        'not_enough_proofs',
        'not_authorized',
        'not_found',
        'conflict',
        'precondition_failed',
        'payload_too_large',
        'not_supported',
      ],
      {
        not_found: "The address is one of the hub's own records, which no request may store.",
        not_supported: 'This hub, its storage or the credential allows no direct upload here; use `/store`.',
      },
    ),
  },
}

const remove: DescribedOperation = {
  operationId: 'delete',
  summary: 'Delete a file',
  description:
    'An `If-Match` is held to, where one is sent. A credential that archives moves the file to its history.',
  tags: ['files'],
  parameters: [...fileParameters, ref('parameters', 'IfMatch'), proofs],
  responses: {
    '202': { description: 'The file is gone.' },
    ...refusals([...authorized, 'not_authorized', 'not_found', 'conflict', 'precondition_failed']),
  },
}

const listFiles: DescribedOperation = {
  operationId: 'listFiles',
  summary: 'List names, a page at a time',
  description:
    'In the order of their UTF-8 bytes. Ask again with the `page` of the answer until that is null. Names that the credential may not see are left out; a page emptied by that holds one null where more follow.',
  tags: ['files'],
  parameters: [addressParameter, proofs],
  requestBody: jsonBody('ListFiles', { page: null, stat: true, prefix: 'photos/' }),
  responses: {
    '202': jsonAnswer('One page.', 'FilePage', {
      entries: [
        {
          name: 'photos/cat.jpg',
          lastModifiedDate: 1782864000,
          contentLength: 48213,
          etag: '"5f1c0e"',
          contentType: 'image/jpeg',
        },
      ],
      page: null,
    }),
    ...refusals([...authorized, 'invalid_input', 'not_authorized', 'payload_too_large']),
  },
}

const revokeAll: DescribedOperation = {
  operationId: 'revokeAll',
  summary: 'Revoke all that was issued before a time',
  description:
    "Sets the address's oldest valid timestamp. It only rises; a lower one is answered alike and changes nothing. For the owner alone.",
  tags: ['mandates'],
  parameters: [addressParameter, proofs],
  requestBody: jsonBody('RevokeAll', { oldestValidTimestamp: 1782864000 }),
  responses: {
    '202': jsonAnswer('This hub refuses older tokens from now on, others soon.', 'Success', {
      status: 'success',
    }),
    ...refusals([...authorized, 'invalid_input', 'not_authorized', 'conflict', 'payload_too_large']),
  },
}

const granted = {
  cid,
  audience: bob,
  capabilities: [{ with: `gaia://${address}/photos/`, can: 'gaia/store', nb: { maxSize: 1048576 } }],
  expiration: 1785456000,
}

const grant: DescribedOperation = {
  operationId: 'grant',
  summary: 'Deposit a delegation',
  description:
    'Its audience can then write with any credential of its own. For the owner, and for holders of `gaia/grant` for all of it.',
  tags: ['mandates'],
  parameters: [addressParameter, proofs],
  requestBody: jsonBody('Delegation', {
    ucan: 'eyJhbGciOiJFUzI1NksiLCJ0eXAiOiJKV1QiLCJ1Y3YiOiIwLjguMSJ9.e30.c2ln',
  }),
  responses: {
    '200': jsonAnswer('It was there before.', 'Grant', granted),
    '201': jsonAnswer('It is deposited.', 'Grant', granted),
    ...refusals([...authorized, 'invalid_input', 'not_authorized', 'payload_too_large']),
  },
}

const listGrants: DescribedOperation = {
  operationId: 'listGrants',
  summary: 'List deposited delegations, a page at a time',
  description:
    'Expired ones are left out. The owner sees all, a holder of `gaia/grant` those within its paths, anybody else those made out to its own key.',
  tags: ['mandates'],
  parameters: [addressParameter, proofs],
  requestBody: jsonBody('ListGrants', { audience: bob, page: null }),
  responses: {
    '202': jsonAnswer('One page.', 'GrantPage', {
      entries: [{ ...granted, issuer: bob, notBefore: null, revoked: false }],
      page: null,
    }),
    ...refusals([...authorized, 'invalid_input', 'payload_too_large']),
  },
}

const revoke: DescribedOperation = {
  operationId: 'revoke',
  summary: 'Revoke one delegation, and all that rests on it',
  description: "For good. For the owner, and for each issuer of the delegation's own chain.",
  tags: ['mandates'],
  parameters: [addressParameter, proofs],
  requestBody: jsonBody('Revoke', { cid }),
  responses: {
    '202': jsonAnswer('This hub refuses it from now on, others soon.', 'Revoked', { status: 'success', cid }),
    ...refusals([...authorized, 'invalid_input', 'not_authorized', 'not_found', 'payload_too_large'], {
      not_found: 'Nothing is deposited under this CID; send the delegation itself.',
    }),
  },
}

const hubInfo: DescribedOperation = {
  operationId: 'hubInfo',
  summary: 'What a client must know before it signs and sends',
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

const text = { type: 'string' }
const wholeNumber = { type: 'integer', minimum: 0 }
const textOrNull = { type: ['string', 'null'] }
const timeOrNull = { type: ['integer', 'null'], minimum: 0, description: 'Seconds since 1970.' }

const capability = {
  type: 'object',
  required: ['with', 'can'],
  properties: {
    with: { type: 'string', description: '`gaia://<address>/<path>`; all below it where it ends in `/`.' },
    can: {
      type: 'string',
      description: '`gaia/store`, `gaia/archive`, `gaia/delete`, `gaia/list`, `gaia/grant`, `gaia/*` or `*`.',
    },
    nb: {
      type: 'object',
      description: 'Caveats.',
      properties: {
        maxSize: wholeNumber,
        contentType: { type: 'array', items: text },
        createOnly: { const: true },
      },
      additionalProperties: false,
    },
  },
}

const grantProperties = {
  cid: text,
  audience: { type: 'string', description: 'The DID of who may use it.' },
  capabilities: { type: 'array', items: ref('schemas', 'Capability') },
  expiration: timeOrNull,
}

const schemas = {
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
      software: { type: 'object', required: ['name', 'version'], properties: { name: text, version: text } },
    },
  },
  Stored: {
    type: 'object',
    required: ['publicURL', 'etag'],
    properties: {
      publicURL: {
        type: 'string',
        format: 'uri',
        description: 'Where anybody can read it; percent-encoded.',
      },
      etag: { type: 'string', description: 'Names this version, for `If-Match`.' },
    },
  },
  DescribedFile: {
    type: 'object',
    required: ['size'],
    properties: {
      size: { ...wholeNumber, description: 'Bytes, exactly.' },
      contentType: { ...textOrNull, description: 'application/octet-stream without one.' },
    },
  },
  DirectUpload: {
    type: 'object',
    required: ['method', 'url', 'headers', 'expires', 'etagHeader', 'publicURL'],
    properties: {
      method: { const: 'PUT' },
      url: { type: 'string', format: 'uri' },
      headers: {
        type: 'object',
        additionalProperties: text,
        description: 'All must be sent as they are; a browser sets `Content-Length` by itself.',
      },
      expires: { ...wholeNumber, description: 'Until when the request may begin, in seconds since 1970.' },
      etagHeader: {
        ...textOrNull,
        description:
          "The header of the storage's answer that is the etag of the new version, but for quotes.",
      },
      publicURL: { type: 'string', format: 'uri', description: 'Where anybody can read it then.' },
    },
  },
  ListFiles: {
    type: 'object',
    properties: {
      page: { ...textOrNull, description: 'null for the first page, else the `page` of the answer before.' },
      stat: { type: ['boolean', 'null'], description: 'Whether entries are more than names.' },
      prefix: { ...textOrNull, description: 'Only names that begin so.' },
      limit: {
        type: ['integer', 'null'],
        minimum: 1,
        maximum: 1000,
        description: 'The most entries on the page.',
      },
    },
  },
  FilePage: {
    type: 'object',
    required: ['entries', 'page'],
    properties: {
      entries: {
        type: 'array',
        items: { anyOf: [{ ...textOrNull }, ref('schemas', 'FileStat')] },
      },
      page: textOrNull,
    },
  },
  FileStat: {
    type: 'object',
    required: ['name', 'lastModifiedDate', 'contentLength', 'etag', 'contentType'],
    properties: {
      name: text,
      lastModifiedDate: { ...wholeNumber, description: 'Seconds since 1970.' },
      contentLength: { ...wholeNumber, description: 'Bytes.' },
      etag: text,
      contentType: text,
    },
  },
  RevokeAll: {
    type: 'object',
    required: ['oldestValidTimestamp'],
    properties: {
      oldestValidTimestamp: {
        description: 'Seconds since 1970; at most 24 hours ahead.',
        anyOf: [wholeNumber, { type: 'string', pattern: '^[0-9]{1,15}$' }],
      },
    },
  },
  Success: { type: 'object', required: ['status'], properties: { status: { const: 'success' } } },
  Capability: capability,
  Delegation: {
    type: 'object',
    required: ['ucan'],
    properties: {
      ucan: { type: 'string', description: 'The delegation, a JWT.' },
      proofs: {
        type: 'array',
        items: text,
        description: 'Tokens that it names by CID and that are not deposited, JWTs.',
      },
    },
  },
  Grant: {
    type: 'object',
    required: ['cid', 'audience', 'capabilities', 'expiration'],
    properties: grantProperties,
  },
  ListGrants: {
    type: 'object',
    properties: {
      audience: { ...textOrNull, description: 'Only those made out to this DID.' },
      page: textOrNull,
    },
  },
  GrantPage: {
    type: 'object',
    required: ['entries', 'page'],
    properties: {
      entries: {
        type: 'array',
        items: {
          type: 'object',
          required: [...Object.keys(grantProperties), 'issuer', 'notBefore', 'revoked'],
          properties: {
            ...grantProperties,
            issuer: text,
            notBefore: timeOrNull,
            revoked: { type: 'boolean', description: 'Whether any link of it is revoked or cut off.' },
          },
        },
      },
      page: textOrNull,
    },
  },
  Revoke: {
    anyOf: [
      {
        type: 'object',
        required: ['cid'],
        properties: { cid: { type: 'string', description: 'Of a deposited grant.' } },
      },
      ref('schemas', 'Delegation'),
    ],
  },
  Revoked: {
    type: 'object',
    required: ['status', 'cid'],
    properties: { status: { const: 'success' }, cid: text },
  },
}

const parameters = {
  Address: {
    name: 'address',
    in: 'path',
    required: true,
    description: 'Whose files: a `1…` address, or the identifier of a `did:key` (`z…`).',
    schema: { type: 'string', pattern: '^[a-zA-Z0-9]+$' },
    example: address,
  },
  Path: {
    name: 'path',
    in: 'path',
    required: true,
    description: 'The name of the file, percent-encoded; it may hold slashes.',
    schema: { type: 'string', minLength: 1 },
    example: 'notes/hello.txt',
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'Only that version is replaced or deleted; `*` for whatever is there. With or without quotes.',
    schema: text,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description: '`*`: only where nothing is.',
    schema: { const: '*' },
  },
  Ucans: {
    name: 'ucans',
    in: 'header',
    description: 'Proofs that the UCAN names by CID: `<cid>: <jwt>`, divided by commas.',
    schema: text,
  },
}

function signed(operation: DescribedOperation): DescribedOperation {
  return { ...operation, security: [{ bearer: [] }] }
}

/** What the hub answers, as OpenAPI 3.1. */
export const hubDocument = openApiDocument({
  title: 'Mandate hub',
  description:
    'The write side: every request becomes one authorized storage operation. Speaks the protocol of Gaia, and delegated writes by UCAN.',
  tags: [
    { name: 'hub', description: 'What this hub is.' },
    { name: 'files', description: 'Storing, deleting and listing.' },
    { name: 'mandates', description: 'Handing out the right to write, and taking it back.' },
  ],
  paths: {
    '/hub_info': { get: hubInfo },
    '/store/{address}/{path}': { post: signed(store) },
    '/upload/{address}/{path}': { post: signed(upload) },
    '/delete/{address}/{path}': { delete: signed(remove) },
    '/list-files/{address}': { post: signed(listFiles) },
    '/revoke-all/{address}': { post: signed(revokeAll) },
    '/grant/{address}': { post: signed(grant) },
    '/list-grants/{address}': { post: signed(listGrants) },
    '/revoke/{address}': { post: signed(revoke) },
  },
  schemas,
  parameters,
  securitySchemes: {
    bearer: {
      type: 'http',
      scheme: 'bearer',
      description:
        "`v1:<jwt>`, Gaia's token; `ucan:<jwt>`, an invocation; or the base64 JSON of a legacy token.",
    },
  },
})
