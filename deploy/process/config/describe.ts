import * as z from 'zod'
import { configSchema } from './schema.ts'

/** One key or section of the schema, as much of its JSON Schema as is used here. */
export interface SchemaNode {
  type?: string
  properties?: Record<string, SchemaNode>
  anyOf?: SchemaNode[]
  items?: SchemaNode
  enum?: unknown[]
  default?: unknown
  description?: string
  minimum?: number
  maximum?: number
  exclusiveMinimum?: number
  /** Own members of the schema's `meta`. */
  allowed?: string
  secret?: boolean
}

const root: SchemaNode = z.toJSONSchema(configSchema, { io: 'input' }) as SchemaNode

/** The node at a path, `undefined` where the schema has no such key. A number steps into a list. */
export function nodeAt(path: readonly PropertyKey[]): SchemaNode | undefined {
  let node: SchemaNode | undefined = root
  for (const step of path) {
    const properties: Record<string, SchemaNode> = node?.properties ?? {}
    if (typeof step === 'number') node = bare(node)?.items
    else node = Object.hasOwn(properties, step) ? properties[String(step)] : undefined
  }
  return node
}

/** A nullable key without its `null`, which only stands for "not set". */
function bare(node: SchemaNode | undefined): SchemaNode | undefined {
  return node?.anyOf?.find(({ type }) => type !== 'null') ?? node
}

/** JSON Schema's name of the type; empty where there is no such key. */
export function typeOf(node: SchemaNode | undefined): string {
  return bare(node)?.type ?? ''
}

/** What a value may be, in words. */
export function allowedText(node: SchemaNode | undefined): string {
  const inner = bare(node)
  const said = node?.allowed ?? inner?.allowed
  if (said !== undefined) return said
  if (inner?.enum !== undefined)
    return `one of ${inner.enum.map((value) => JSON.stringify(value)).join(', ')}`
  switch (typeOf(node)) {
    case 'integer':
      return `an integer${rangeText(inner)}`
    case 'number':
      return `a number${rangeText(inner)}`
    case 'boolean':
      return 'true or false'
    case 'array':
      return 'a list'
    case 'object':
      return `a section with the keys ${Object.keys(inner?.properties ?? {}).join(', ')}`
    default:
      return 'a text'
  }
}

function rangeText({ minimum, maximum, exclusiveMinimum }: SchemaNode = {}): string {
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}, at most ${maximum}`
  return minimum === undefined ? '' : ` from ${minimum} to ${maximum}`
}

export interface KeyDescription {
  /** Dotted, as it stands in a file with sections. */
  key: string
  path: readonly string[]
  description: string
  allowed: string
  /** `null`: nothing unless it is set. */
  default: unknown
}

/** Every key that holds a value, in the schema's order. */
export function describeKeys(): KeyDescription[] {
  return leaves(root, [])
}

function leaves(node: SchemaNode, path: readonly string[]): KeyDescription[] {
  if (node.properties !== undefined) {
    return Object.entries(node.properties).flatMap(([key, child]) => leaves(child, [...path, key]))
  }
  return [
    {
      key: path.join('.'),
      path,
      description: node.description ?? '',
      allowed: allowedText(node),
      default: node.default ?? null,
    },
  ]
}
