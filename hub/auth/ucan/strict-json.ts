import { maxJsonDepth } from './limits.ts'

export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [name: string]: Json
}

/** What makes a text no JSON that is taken here; for the message of a refusal. */
export class StrictJsonError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'StrictJsonError'
  }
}

/** An object has two members of one name. */
export class RepeatedNameError extends StrictJsonError {
  /** The name, in quotes and without needless escapes. */
  readonly quoted: string
  /** Where in the text it stands the second time. */
  readonly offset: number

  constructor(quoted: string, offset: number) {
    super('JSON without repeated names')
    this.name = 'RepeatedNameError'
    this.quoted = quoted
    this.offset = offset
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Parses bytes as one JSON object (RFC 8259). Stricter than `JSON.parse`: valid UTF-8 without a byte order mark,
 * no object with two members of one name at any depth (two parsers could then read two different tokens), and
 * bounded nesting. A member `__proto__` is an ordinary own member.
 * @throws {StrictJsonError}
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject {
  const text = decodeUtf8(bytes)
  checkNames(text)
  const value = parse(text)
  if (!isObject(value)) throw new StrictJsonError('a JSON object')
  return value
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own member of an object, never one that it inherits. */
export function member(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new StrictJsonError('valid UTF-8')
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new StrictJsonError('valid JSON')
  }
}

/**
 * Looks for repeated names and deep nesting, before anything recursive sees the text. Only strings, and the characters
 * that open, close and divide, are looked at; whether it is JSON at all is left to `JSON.parse`.
 * @throws {RepeatedNameError}, {StrictJsonError}
 */
export function checkNames(text: string): void {
  /** The names met so far in each object that is open; `null` for an array. */
  const open: Array<Set<string> | null> = []
  let atName = false
  for (let i = 0; i < text.length; i++) {
    const symbol = text[i]
    if (symbol === '"') {
      const end = endOfString(text, i)
      // A string that does not end is the end of all: no JSON, and nothing is left to nest.
      if (end === -1) return
      if (atName) addName(open.at(-1), text.slice(i, end + 1), i)
      atName = false
      i = end
    } else if (symbol === '{' || symbol === '[') {
      if (open.length >= maxJsonDepth) throw new StrictJsonError(`JSON nested at most ${maxJsonDepth} deep`)
      open.push(symbol === '{' ? new Set() : null)
      atName = symbol === '{'
    } else if (symbol === '}' || symbol === ']') {
      open.pop()
      atName = false
    } else if (symbol === ',') {
      atName = open.at(-1) instanceof Set
    }
  }
}

/** Where the string that begins at `start` has its closing quote; -1 for nowhere. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, index: number): boolean {
  let backslashes = 0
  while (text[index - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

function addName(names: Set<string> | null | undefined, quoted: string, offset: number): void {
  // Two spellings of one name, with escapes and without, are one name.
  const name = quoted.includes('\\') ? JSON.stringify(parse(quoted)) : quoted
  if (names?.has(name)) throw new RepeatedNameError(name, offset)
  names?.add(name)
}
