/**
 * What the catalogue knows of one image. A record carries its version and a checksum of its own: a
 * database page that was damaged in silence gives an unknown record, never a wrong one (FAULTS § 2, B4).
 */
import { createHash } from 'node:crypto'

/** What an image runs, as its config said; names of variables only, their values may be secret. */
export type ConfigSummary = {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly envNames: readonly string[]
  readonly workingDir?: string
}

/** How an image was made, as far as its bytes depend on it. */
export type MakingOptions = {
  readonly allRoot?: boolean
  readonly fixPermissions?: boolean
  /** SOURCE_DATE_EPOCH at that time. */
  readonly sourceDateEpoch?: number
}

export type ImageRecord = {
  /** `library/busybox` */
  readonly name: string
  readonly tag: string
  /** `aws`, `docker`, … */
  readonly client: string
  /** The full reference, `aws://HOST/library/busybox:latest`, with `@sha256:…` or without. */
  readonly uri: string
  /** `host[:port]`; undefined for images that were added by hand. */
  readonly registry?: string
  /** Digest of the platform's manifest, `sha256:…`; undefined for images that were added by hand. */
  readonly digest?: string
  /** Digest of the index that led to the manifest. */
  readonly indexDigest?: string
  /** `linux/amd64` */
  readonly platform?: string
  /** Absolute. */
  readonly path: string
  readonly sizeBytes: number
  /** Hex digits of the file's sha256. */
  readonly sha256?: string
  readonly format: 'squashfs' | 'sif'
  /** `gzip:5` */
  readonly compression?: string
  /** What was asked for beside the reference and changes the bytes; absent: nothing was. */
  readonly made?: MakingOptions
  /** When the image was made, as its config says; ISO 8601. */
  readonly created?: string
  /** When it was pulled or added; ISO 8601. */
  readonly pulled: string
  readonly labels: Readonly<Record<string, string>>
  readonly config?: ConfigSummary
}

/** Version of the stored form; a reader refuses to overwrite what a later one wrote. */
export const imageRecordVersion = 1

/** The stored form: plain JSON, whatever the adapter. */
export type StoredImageRecord = {
  readonly version: number
  readonly checksum: string
  readonly record: unknown
}

export type DecodedImageRecord =
  | { readonly kind: 'record'; readonly record: ImageRecord }
  | { readonly kind: 'newer'; readonly version: number }
  | { readonly kind: 'damaged' }

export function encodeImageRecord(record: ImageRecord): StoredImageRecord {
  // through JSON first, so that the checksum is of what a reader will see
  const plain: unknown = JSON.parse(JSON.stringify(record))
  return { version: imageRecordVersion, checksum: checksumOf(plain), record: plain }
}

/** Reads a stored value; anything unexpected is `damaged`, a later version `newer`. */
export function decodeImageRecord(value: unknown): DecodedImageRecord {
  if (!isObject(value) || typeof value['version'] !== 'number') return { kind: 'damaged' }
  const { version, checksum, record } = value
  if (version > imageRecordVersion) return { kind: 'newer', version }
  if (version !== imageRecordVersion || checksum !== checksumOf(record)) return { kind: 'damaged' }
  return isImageRecord(record) ? { kind: 'record', record } : { kind: 'damaged' }
}

function checksumOf(plain: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(plain) ?? '')
    .digest('hex')
}

function isImageRecord(value: unknown): value is ImageRecord {
  if (!isObject(value)) return false
  const required = ['name', 'tag', 'client', 'uri', 'path', 'pulled']
  const optional = [
    'registry',
    'digest',
    'indexDigest',
    'platform',
    'sha256',
    'compression',
    'created',
  ]
  return (
    required.every((field) => typeof value[field] === 'string') &&
    optional.every((field) => isOptional(value[field], isString)) &&
    Number.isSafeInteger(value['sizeBytes']) &&
    (value['format'] === 'squashfs' || value['format'] === 'sif') &&
    isObject(value['labels']) &&
    Object.values(value['labels']).every(isString) &&
    isOptional(value['config'], isConfigSummary) &&
    isOptional(value['made'], isMakingOptions)
  )
}

function isConfigSummary(value: unknown): boolean {
  if (!isObject(value)) return false
  const lists = [value['entrypoint'], value['cmd'], value['envNames']]
  return (
    lists.every((list) => Array.isArray(list) && list.every(isString)) &&
    isOptional(value['workingDir'], isString)
  )
}

function isMakingOptions(value: unknown): boolean {
  return (
    isObject(value) &&
    isOptional(value['allRoot'], (one) => typeof one === 'boolean') &&
    isOptional(value['fixPermissions'], (one) => typeof one === 'boolean') &&
    isOptional(value['sourceDateEpoch'], Number.isSafeInteger)
  )
}

function isOptional(value: unknown, is: (value: unknown) => boolean): boolean {
  return value === undefined || is(value)
}

function isString(value: unknown): value is string {
  return typeof value === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
