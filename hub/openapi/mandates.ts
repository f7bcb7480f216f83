import { type DescribedOperation, jsonAnswer, ref } from '../../http/api-docs/document.ts'
import { addressParameter, exampleAddress } from '../../http/api-docs/file-parameters.ts'
import { refusals } from '../../http/api-docs/refusals.ts'
import { authorized, type DescribedRoutes, jsonBody, signed } from './operation.ts'
import { proofs } from './parameters.ts'
import { text, textOrNull, wholeNumber } from './schema.ts'

const cid = 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku'
const bob = 'did:key:zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme'

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
  capabilities: [{ with: `gaia://${exampleAddress}/photos/`, can: 'gaia/store', nb: { maxSize: 1048576 } }],
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

/** Handing out the right to write, and taking it back. */
export const mandateRoutes = {
  paths: {
    '/revoke-all/{address}': { post: signed(revokeAll) },
    '/grant/{address}': { post: signed(grant) },
    '/list-grants/{address}': { post: signed(listGrants) },
    '/revoke/{address}': { post: signed(revoke) },
  },
  schemas: {
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
  },
} satisfies DescribedRoutes
