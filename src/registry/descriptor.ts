/** Descriptors (OCI image spec, descriptor.md): what points at a blob, checked field by field. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type Digest, parseDigest } from './digest.ts'
import {
  invalidField,
  isJsonObject,
  type JsonObject,
  optionalString,
  own,
  requiredString,
  stringList,
  stringMap,
} from './json-document.ts'
import type { Platform } from './platform.ts'

export type Descriptor = {
  readonly mediaType: string
  readonly digest: Digest
  readonly sizeBytes: number
  /** Other places of a foreign layer; http(s) only, asked without credentials. */
  readonly urls?: readonly string[]
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  readonly artifactType?: string
  /** The content itself, already decoded from base64; to be checked like any other bytes. */
  readonly data?: Uint8Array
}

/** ECR's quota for a layer; a larger size is a lie or an attack. */
const maxBlobBytes: number = 52_000 * 1024 * 1024

/** @throws {SregistryError} MANIFEST_INVALID or LIMIT_EXCEEDED naming the field. */
export function parseDescriptor(value: unknown, what: string): Descriptor {
  if (!isJsonObject(value)) {
    throw new SregistryError('MANIFEST_INVALID', `${what} is not a descriptor`)
  }
  const platform = parsePlatformField(own(value, 'platform'), what)
  const artifactType = optionalString(value, 'artifactType', what)
  const data = optionalString(value, 'data', what)
  return {
    mediaType: requiredString(value, 'mediaType', what),
    digest: parseDigest(requiredString(value, 'digest', what)),
    sizeBytes: parseSize(value, what),
    urls: stringList(value, 'urls', what),
    annotations: stringMap(value, 'annotations', what),
    ...(platform === undefined ? {} : { platform }),
    ...(artifactType === undefined || artifactType === '' ? {} : { artifactType }),
    ...(data === undefined ? {} : { data: Buffer.from(data, 'base64') }),
  }
}

function parseSize(descriptor: JsonObject, what: string): number {
  const size = own(descriptor, 'size')
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw invalidField(what, 'size', 'a count of bytes')
  }
  if (size > maxBlobBytes) {
    throw new SregistryError('LIMIT_EXCEEDED', `${what} says ${size} bytes, over ${maxBlobBytes}`)
  }
  return size
}

function parsePlatformField(value: unknown, what: string): Platform | undefined {
  if (value === undefined) return undefined
  if (!isJsonObject(value)) throw invalidField(what, 'platform', 'an object')
  const os = optionalString(value, 'os', what)
  const architecture = optionalString(value, 'architecture', what)
  const variant = optionalString(value, 'variant', what)
  if (!os || !architecture) return undefined
  return { os, architecture, ...(variant ? { variant } : {}) }
}
