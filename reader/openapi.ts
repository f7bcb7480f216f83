import { type DescribedOperation, openApiDocument, ref } from '../http/api-docs/document.ts'
import { fileParameterComponents, fileParameters } from '../http/api-docs/file-parameters.ts'
import { refusals, storageFaults } from '../http/api-docs/refusals.ts'

const versionHeaders = {
  ETag: ref('headers', 'ETag'),
  'Last-Modified': ref('headers', 'LastModified'),
  'Cache-Control': { description: 'As configured.', schema: { type: 'string' } },
}
const contentHeaders = {
  ...versionHeaders,
  'Content-Length': { description: 'Bytes.', schema: { type: 'integer', minimum: 0 } },
  'Accept-Ranges': { schema: { const: 'bytes' } },
}
const bytes = { '*/*': { schema: {} } }

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  description,
  schema: { type: 'string' },
})
const conditions = [
  header('If-None-Match', 'Answers 304 where the file is this version, or one of several.'),
  header('If-Modified-Since', 'Answers 304 where the file has not changed since.'),
  header('If-Match', 'Answers 412 where the file is another version.'),
  header('If-Unmodified-Since', 'Answers 412 where the file has changed since.'),
]

const answers = {
  '304': { description: 'The version that the client has is the one in force.', headers: versionHeaders },
  ...refusals(['not_found', 'precondition_failed', ...storageFaults]),
}

const get: DescribedOperation = {
  operationId: 'read',
  summary: 'Read a file',
  description: 'Anybody may. The bytes are those of one version, never a mixture.',
  tags: ['files'],
  parameters: [
    header(
      'Range',
      'One range of bytes, `bytes=0-99` for instance; several are answered with the whole file.',
    ),
    header('If-Range', 'The range only where the file is this version, else the whole file.'),
    ...conditions,
  ],
  responses: {
    '200': {
      description: 'The file, with the Content-Type that it was stored with.',
      headers: contentHeaders,
      content: bytes,
    },
    '206': {
      description: 'The range.',
      headers: {
        ...contentHeaders,
        'Content-Range': { description: '`bytes <first>-<last>/<size>`', schema: { type: 'string' } },
      },
      content: bytes,
    },
    '302': {
      description:
        'The file is there, and the storage itself sends it: where the reader is configured so. A `Range` is repeated there.',
      headers: {
        Location: {
          description: 'May last for two minutes only.',
          schema: { type: 'string', format: 'uri' },
        },
        'Cache-Control': { description: 'Never longer than the URL lasts.', schema: { type: 'string' } },
      },
    },
    ...answers,
    ...refusals(['range_not_satisfiable']),
  },
}

const head: DescribedOperation = {
  operationId: 'stat',
  summary: 'Ask about a file',
  description: 'What a GET would answer, without the file.',
  tags: ['files'],
  parameters: conditions,
  responses: { '200': { description: 'The file is there.', headers: contentHeaders }, ...answers },
}

/** What the reader answers, as OpenAPI 3.1. */
export function readerDocument(prefix: string): Record<string, unknown> {
  return openApiDocument({
    title: 'Mandate reader',
    description: 'The read side: files, to anybody, the same over every storage. It knows nothing of tokens.',
    tags: [{ name: 'files', description: 'Reading.' }],
    paths: {
      [`${prefix}{address}/{path}`]: {
        get: { ...get, parameters: [...fileParameters, ...(get.parameters ?? [])] },
        head: { ...head, parameters: [...fileParameters, ...(head.parameters ?? [])] },
      },
    },
    parameters: fileParameterComponents,
    headers: {
      ETag: { description: 'Names the version, quoted.', schema: { type: 'string' }, example: '"5f1c0e"' },
      LastModified: {
        description: 'When the version was stored.',
        schema: { type: 'string' },
        example: 'Wed, 01 Jul 2026 00:00:00 GMT',
      },
    },
  })
}
