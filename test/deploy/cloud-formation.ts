import { loadAwsServiceSpec } from '@aws-cdk/aws-service-spec'
import type { PropertyType, ResourceProperties } from '@aws-cdk/service-spec-types'
import { parse, type ScalarTag, type SchemaOptions } from 'yaml'

export interface Template {
  Parameters: Record<string, unknown>
  Conditions: Record<string, unknown>
  Resources: Record<string, { Type: string; Properties?: Record<string, unknown> }>
  Outputs: Record<string, { Value: unknown }>
}

/** The short forms of CloudFormation's functions, as what they are short for. */
const functions = ['Ref', 'Sub', 'GetAtt', 'If', 'Not', 'Equals', 'Join', 'Select', 'Split']

const customTags = functions.flatMap((name) => {
  const key = name === 'Ref' ? 'Ref' : `Fn::${name}`
  const scalar: ScalarTag = { tag: `!${name}`, resolve: (text) => ({ [key]: text }) }
  const list = {
    tag: `!${name}`,
    collection: 'seq' as const,
    resolve: (items: { toJSON(): unknown }) => ({ [key]: items.toJSON() }),
  }
  return [scalar, list]
})

export function parseTemplate(text: string): Template {
  return parse(text, { customTags: customTags as NonNullable<SchemaOptions['customTags']> }) as Template
}

type Database = Awaited<ReturnType<typeof loadAwsServiceSpec>>

let loaded: Promise<Database> | undefined

/** What is wrong with the resources of a template by AWS's own schema: types, properties, and what must be there. */
export async function templateFaults({ Resources }: Template): Promise<string[]> {
  loaded ??= loadAwsServiceSpec()
  const database = await loaded
  return Object.entries(Resources).flatMap(([name, { Type, Properties = {} }]) => {
    const [resource] = database.lookup('resource', 'cloudFormationType', 'equals', Type)
    if (resource === undefined) return [`${name}: no such type ${Type}`]
    return propertyFaults(database, resource.properties, Properties, name)
  })
}

function propertyFaults(database: Database, known: ResourceProperties, given: object, at: string): string[] {
  const missing = Object.entries(known).filter(
    ([name, { required }]) => required === true && !Object.hasOwn(given, name),
  )
  return [
    ...missing.map(([name]) => `${at}.${name} is missing`),
    ...Object.entries(given).flatMap(([name, value]) => {
      const property = Object.hasOwn(known, name) ? known[name] : undefined
      return property === undefined
        ? [`${at}.${name} is not known`]
        : typeFaults(database, property.type, value, `${at}.${name}`)
    }),
  ]
}

function typeFaults(database: Database, type: PropertyType, value: unknown, at: string): string[] {
  // What a function gives is known to AWS only.
  if (isFunction(value)) return []
  switch (type.type) {
    case 'ref':
      if (!isObject(value)) return [`${at} is no object`]
      return propertyFaults(database, database.get('typeDefinition', type.reference).properties, value, at)
    case 'array':
      if (!Array.isArray(value)) return [`${at} is no list`]
      return value.flatMap((item, i) => typeFaults(database, type.element, item, `${at}[${i}]`))
    case 'map':
      return Object.entries(value as object).flatMap(([key, item]) =>
        typeFaults(database, type.element, item, `${at}.${key}`),
      )
    case 'union': {
      const attempts = type.types.map((one) => typeFaults(database, one, value, at))
      return attempts.find((faults) => faults.length === 0) ?? attempts[0] ?? []
    }
    case 'string':
      if (typeof value !== 'string') return [`${at} is no text`]
      return type.allowedValues?.includes(value) === false ? [`${at} cannot be ${value}`] : []
    case 'integer':
    case 'number':
      return typeof value === 'number' ? [] : [`${at} is no number`]
    case 'boolean':
      return typeof value === 'boolean' ? [] : [`${at} is neither true nor false`]
    case 'json':
    case 'tag':
    case 'date-time':
    case 'null':
      return []
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isFunction(value: unknown): boolean {
  if (!isObject(value)) return false
  const [key = '', ...others] = Object.keys(value)
  return others.length === 0 && (key === 'Ref' || key.startsWith('Fn::'))
}
