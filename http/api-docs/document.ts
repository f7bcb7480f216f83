import { errorNames } from '../../client/protocol/errors.ts'
import { software } from '../software.ts'
import { type DescribedResponses, exampleOf, refusals } from './refusals.ts'

/** One route with one method: what OpenAPI calls an Operation Object. */
export interface DescribedOperation {
  operationId: string
  summary: string
  description?: string
  tags: string[]
  parameters?: unknown[]
  requestBody?: unknown
  responses: DescribedResponses
  security?: unknown[]
}

export interface DescribedApi {
  title: string
  description: string
  tags: Array<{ name: string; description: string }>
  /** By path, as OpenAPI templates it, and method in lower case. */
  paths: Record<string, Record<string, DescribedOperation>>
  schemas?: Record<string, unknown>
  parameters?: Record<string, unknown>
  headers?: Record<string, unknown>
  securitySchemes?: Record<string, unknown>
}

/** An OpenAPI 3.1 document; complete, with what every server of ours has alike. */
export function openApiDocument(api: DescribedApi): Record<string, unknown> {
  return {
    openapi: '3.1.0',
    info: {
      title: api.title,
      version: software.version,
      description: api.description,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'this server' }],
    tags: [...api.tags, { name: 'health', description: 'For balancers, probes and people.' }],
    paths: { ...api.paths, ...commonPaths },
    components: {
      schemas: { ...commonSchemas, ...api.schemas },
      parameters: api.parameters ?? {},
      headers: { ...commonHeaders, ...api.headers },
      securitySchemes: api.securitySchemes ?? {},
    },
  }
}

/** Refers to a component of the document. */
export function ref(kind: 'schemas' | 'parameters' | 'headers', name: string): { $ref: string } {
  return { $ref: `#/components/${kind}/${name}` }
}

/** A JSON answer. */
export function jsonAnswer(description: string, schema: string, example: unknown) {
  return {
    description,
    content: { 'application/json': { schema: ref('schemas', schema), example } },
  }
}

/** A route that answers a GET, and a HEAD alike but for the body of what it is asked for. */
export function readable(get: DescribedOperation): { get: DescribedOperation; head: DescribedOperation } {
  const responses = Object.entries(get.responses).map(([status, { content, ...rest }]) => [
    status,
    content === undefined || status.startsWith('2') ? rest : { content, ...rest },
  ])
  return {
    get,
    head: {
      operationId: `${get.operationId}Head`,
      summary: `${get.summary}: without the body`,
      tags: get.tags,
      responses: Object.fromEntries(responses) as DescribedResponses,
    },
  }
}

const commonHeaders = {
  RetryAfter: {
    description: 'Seconds after which to try again.',
    schema: { type: 'integer', minimum: 0 },
    example: 5,
  },
}

const commonSchemas = {
  Error: {
    description:
      'Every refusal. A 500 has the message alone. A message never holds a token or a key; programs go by `error` and `code`.',
    type: 'object',
    required: ['message'],
    properties: {
      message: { type: 'string', description: 'What was wrong and what was expected, for people.' },
      error: {
        type: 'string',
        enum: Object.values(errorNames),
        description: "The class that Gaia's clients know.",
      },
      code: {
        type: 'string',
        pattern: '^[a-z]+(-[a-z]+)*$',
        description: 'Why a credential or a delegation was refused.',
      },
      link: {
        type: 'integer',
        minimum: 0,
        description: 'Which token of a chain is at fault; 0 is the one that was sent, its proofs follow.',
      },
      claim: { type: 'string', description: 'Which claim of that token.' },
      expected: { type: 'string', description: 'What the claim should have been.' },
      etag: { type: 'string', description: 'The version in force, with a 412, where it is known.' },
      size: { type: 'integer', minimum: 0, description: 'Bytes of the file, with a 416.' },
    },
  },
  Health: {
    type: 'object',
    required: ['status'],
    properties: {
      status: { type: 'string', enum: ['ok', 'unavailable'] },
      reason: { type: 'string', description: 'A class of reasons, without details.' },
    },
  },
}

const commonPaths = {
  '/healthz': readable({
    operationId: 'healthz',
    summary: 'Whether the process serves at all',
    tags: ['health'],
    responses: { '200': jsonAnswer('It does.', 'Health', { status: 'ok' }) },
  }),
  '/readyz': readable({
    operationId: 'readyz',
    summary: 'Whether the storage behind it can be used',
    tags: ['health'],
    responses: {
      '200': jsonAnswer('It can.', 'Health', { status: 'ok' }),
      '503': {
        description: 'It cannot, or the server has more to do than it can.',
        headers: { 'Retry-After': ref('headers', 'RetryAfter') },
        content: {
          'application/json': {
            schema: { oneOf: [ref('schemas', 'Health'), ref('schemas', 'Error')] },
            examples: {
              unavailable: { value: { status: 'unavailable', reason: 'backend' } },
              overloaded: { value: exampleOf('overloaded') },
            },
          },
        },
      },
    },
  }),
  '/openapi.json': readable({
    operationId: 'openapi',
    summary: 'This description',
    tags: ['health'],
    responses: {
      '200': {
        description: 'An OpenAPI 3.1 document.',
        content: {
          'application/json': { schema: { type: 'object', required: ['openapi', 'info', 'paths'] } },
        },
      },
      ...refusals([]),
    },
  }),
  '/docs': readable({
    operationId: 'docs',
    summary: 'This description as a page to browse',
    description:
      'At `/docs/` too. Its script is at `/docs.js`, which is a part of the page and not of the interface.',
    tags: ['health'],
    responses: {
      '200': {
        description: 'The page. It needs nothing from any other host.',
        content: { 'text/html': { schema: { type: 'string' } } },
      },
      ...refusals([]),
    },
  }),
} satisfies DescribedApi['paths']
