import { type DescribedOperation, jsonAnswer, ref } from '../../http/api-docs/document.ts'
import { addressParameter, exampleAddress, fileParameters } from '../../http/api-docs/file-parameters.ts'
import { refusals } from '../../http/api-docs/refusals.ts'
import { authorized, type DescribedRoutes, jsonBody, signed } from './operation.ts'
import { ifMatch, ifNoneMatch, proofs } from './parameters.ts'
import { text, textOrNull, wholeNumber } from './schema.ts'

const store: DescribedOperation = {
  operationId: 'store',
  summary: 'Store a file',
  description:
    'The body becomes the file, whole, or nothing changes. Without a condition it overwrites. 202 means that it is stored durably.',
  tags: ['files'],
  parameters: [...fileParameters, ifMatch, ifNoneMatch, proofs],
  requestBody: {
    description:
      'The file, byte for byte. Its Content-Type is kept as it is, whatever it is; application/octet-stream without one.',
    // For the first two a page that tries requests takes a file and a text; any other type it could not send.
    content: {
      'application/octet-stream': { schema: { type: 'string', format: 'binary' } },
      'text/plain': { schema: text, example: 'hello' },
      '*/*': { schema: {} },
    },
  },
  responses: {
    '202': jsonAnswer('The file is stored.', 'Stored', {
      publicURL: `https://files.example/${exampleAddress}/photos/cat.jpg`,
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
  parameters: [...fileParameters, ifMatch, ifNoneMatch, proofs],
  requestBody: jsonBody('DescribedFile', { size: 73400320, contentType: 'video/mp4' }),
  responses: {
    '200': jsonAnswer('Send this, headers and all, within its time.', 'DirectUpload', {
      method: 'PUT',
      url: `https://bucket.s3.eu-central-1.amazonaws.com/${exampleAddress}/film.mp4?X-Amz-Signature=5f1c0e`,
      headers: { 'Content-Length': '73400320', 'Content-Type': 'video/mp4', 'Cache-Control': 'no-cache' },
      expires: 1782864060,
      etagHeader: 'ETag',
      publicURL: `https://files.example/${exampleAddress}/film.mp4`,
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
  parameters: [...fileParameters, ifMatch, proofs],
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

/** Storing, deleting and listing. */
export const fileRoutes = {
  paths: {
    '/store/{address}/{path}': { post: signed(store) },
    '/upload/{address}/{path}': { post: signed(upload) },
    '/delete/{address}/{path}': { delete: signed(remove) },
    '/list-files/{address}': { post: signed(listFiles) },
  },
  schemas: {
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
        page: {
          ...textOrNull,
          description: 'null for the first page, else the `page` of the answer before.',
        },
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
  },
} satisfies DescribedRoutes
