/**
 * JSON from outside, read by hand: bounded in bytes, depth and keys, and only own properties count
 * (a `__proto__` key in a manifest must not become a prototype; FAULTS X20).
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { visibleText } from './visible-text.ts'

export const maxManifestBytes: number = 4 * 1024 * 1024
export const maxConfigBytes: number = 4 * 1024 * 1024
const maxDepth = 32
const maxKeys = 10_000

export type JsonObject = { readonly [key: string]: unknown }

/**
 * @param what What the bytes are, for messages: `the manifest of library/busybox`.
 * @throws {SregistryError} LIMIT_EXCEEDED when too large or too deep, MANIFEST_INVALID when no JSON object.
 */
export function parseJsonDocument(bytes: Uint8Array, what: string, maxBytes: number): JsonObject {
  if (bytes.byteLength > maxBytes) {
    throw new SregistryError('LIMIT_EXCEEDED', `${what} is larger than ${maxBytes} bytes`)
  }
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch (cause) {
    throw new SregistryError('MANIFEST_INVALID', `${what} is not JSON`, { cause })
  }
  checkShape(value, what)
  if (!isJsonObject(value))
    throw new SregistryError('MANIFEST_INVALID', `${what} is no JSON object`)
  return value
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** An own property; undefined when absent or null (encoders write null for "none"). */
export function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? (object[key] ?? undefined) : undefined
}

/** @throws {SregistryError} MANIFEST_INVALID when the field is there and no string. */
export function optionalString(object: JsonObject, key: string, what: string): string | undefined {
  const value = own(object, key)
  if (value === undefined || typeof value === 'string') return value
  throw invalidField(what, key, 'a string')
}

/** @throws {SregistryError} MANIFEST_INVALID when the field is missing or no string. */
export function requiredString(object: JsonObject, key: string, what: string): string {
  const value = optionalString(object, key, what)
  if (value === undefined) throw invalidField(what, key, 'a string')
  return value
}

/** @throws {SregistryError} MANIFEST_INVALID when the field is there and no list of strings. */
export function stringList(object: JsonObject, key: string, what: string): readonly string[] {
  const value = own(object, key)
  if (value === undefined) return []
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value
  throw invalidField(what, key, 'a list of strings')
}

/** @throws {SregistryError} MANIFEST_INVALID when the field is there and no object of strings. */
export function stringMap(
  object: JsonObject,
  key: string,
  what: string,
): Readonly<Record<string, string>> {
  const value = own(object, key)
  if (value === undefined) return {}
  const entries = isJsonObject(value) ? Object.entries(value) : undefined
  if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    throw invalidField(what, key, 'an object of strings')
  }
  return Object.fromEntries(entries)
}

/** @throws {SregistryError} MANIFEST_INVALID when the field is missing or no list. */
export function requiredList(object: JsonObject, key: string, what: string): readonly unknown[] {
  const value = own(object, key)
  if (Array.isArray(value)) return value
  throw invalidField(what, key, 'a list')
}

export function invalidField(what: string, key: string, wanted: string): SregistryError {
  return new SregistryError('MANIFEST_INVALID', `${what}: ${visibleText(key, 80)} is not ${wanted}`)
}

/** Walks without recursion: two million levels of `[` parse, but would overflow a stack here. */
function checkShape(root: unknown, what: string): void {
  let level: unknown[] = [root]
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > maxDepth) {
      throw new SregistryError('LIMIT_EXCEEDED', `${what} is nested deeper than ${maxDepth} levels`)
    }
    level = level.flatMap((value) => childrenOf(value, what))
  }
}

function childrenOf(value: unknown, what: string): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  const children: unknown[] = Object.values(value)
  if (!Array.isArray(value) && children.length > maxKeys) {
    throw new SregistryError('LIMIT_EXCEEDED', `${what} has an object with over ${maxKeys} keys`)
  }
  return children.filter((child) => typeof child === 'object' && child !== null)
}
