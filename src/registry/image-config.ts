/** The config of an image (OCI image spec config.md; Docker's is the same where we look). */
import { SregistryError } from '../errors/sregistry-error.ts'
import { type Digest, parseDigest } from './digest.ts'
import {
  invalidField,
  isJsonObject,
  type JsonObject,
  maxConfigBytes,
  optionalString,
  own,
  parseJsonDocument,
  stringList,
  stringMap,
} from './json-document.ts'

export type ImageConfig = {
  readonly architecture?: string
  readonly os?: string
  readonly variant?: string
  /** RFC 3339, as written by whoever built the image. */
  readonly created?: string
  readonly author?: string
  readonly config: RunConfig
  /** Digests of the uncompressed layers, lowest first. */
  readonly diffIds: readonly Digest[]
  readonly history: readonly HistoryEntry[]
}

/** How a container is to be started. Absent lists are empty; empty strings are absent. */
type RunConfig = {
  readonly Env: readonly string[]
  readonly Entrypoint: readonly string[]
  readonly Cmd: readonly string[]
  readonly Labels: Readonly<Record<string, string>>
  readonly WorkingDir?: string
  readonly User?: string
  readonly StopSignal?: string
  readonly ExposedPorts: readonly string[]
  readonly Volumes: readonly string[]
  /** The `config` object as it stood in the blob. */
  readonly raw: unknown
}

type HistoryEntry = {
  readonly created?: string
  readonly createdBy?: string
  readonly author?: string
  readonly comment?: string
  readonly isEmptyLayer: boolean
}

/**
 * @param layerCount Layers of the manifest: `rootfs.diff_ids` must have as many.
 * @throws {SregistryError} MANIFEST_INVALID or LIMIT_EXCEEDED naming the field.
 */
export function parseImageConfig(bytes: Uint8Array, layerCount: number, what: string): ImageConfig {
  const document = parseJsonDocument(bytes, what, maxConfigBytes)
  const diffIds = parseDiffIds(document, what)
  if (diffIds.length !== layerCount) {
    const counts = `${diffIds.length} diff_ids for ${layerCount} layers`
    throw new SregistryError('MANIFEST_INVALID', `${what} has ${counts}`, {
      hint: 'the image was built or stored wrongly: build and push it again',
    })
  }
  return {
    ...presentStrings(document, ['architecture', 'os', 'variant', 'created', 'author'], what),
    config: parseRunConfig(own(document, 'config'), what),
    diffIds,
    history: parseHistory(own(document, 'history'), what),
  }
}

function parseDiffIds(document: JsonObject, what: string): readonly Digest[] {
  const rootfs = own(document, 'rootfs')
  if (rootfs === undefined) return []
  if (!isJsonObject(rootfs)) throw invalidField(what, 'rootfs', 'an object')
  return stringList(rootfs, 'diff_ids', what).map(parseDigest)
}

function parseRunConfig(value: unknown, what: string): RunConfig {
  if (value !== undefined && !isJsonObject(value)) throw invalidField(what, 'config', 'an object')
  const config = value ?? {}
  return {
    Env: stringList(config, 'Env', what),
    Entrypoint: wordList(config, 'Entrypoint', what),
    Cmd: wordList(config, 'Cmd', what),
    Labels: stringMap(config, 'Labels', what),
    ...presentStrings(config, ['WorkingDir', 'User', 'StopSignal'], what),
    ExposedPorts: keysOf(config, 'ExposedPorts', what),
    Volumes: keysOf(config, 'Volumes', what),
    raw: config,
  }
}

/** The spec wants a list; old builders wrote a string, which a shell was to read. */
function wordList(config: JsonObject, key: string, what: string): readonly string[] {
  const value = own(config, key)
  return typeof value === 'string' ? ['/bin/sh', '-c', value] : stringList(config, key, what)
}

function keysOf(config: JsonObject, key: string, what: string): readonly string[] {
  const value = own(config, key)
  if (value === undefined) return []
  if (!isJsonObject(value)) throw invalidField(what, key, 'an object')
  return Object.keys(value)
}

function parseHistory(value: unknown, what: string): readonly HistoryEntry[] {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(isJsonObject)) {
    throw invalidField(what, 'history', 'a list of objects')
  }
  return value.map((entry: JsonObject) => {
    const createdBy = optionalString(entry, 'created_by', what)
    return {
      ...presentStrings(entry, ['created', 'author', 'comment'], what),
      ...(createdBy === undefined ? {} : { createdBy }),
      isEmptyLayer: own(entry, 'empty_layer') === true,
    }
  })
}

/** The named fields that are there and not empty. */
function presentStrings<Key extends string>(
  object: JsonObject,
  keys: readonly Key[],
  what: string,
): { readonly [key in Key]?: string } {
  const entries = keys.flatMap((key) => {
    const text = optionalString(object, key, what)
    return text === undefined || text === '' ? [] : [[key, text] as const]
  })
  return Object.fromEntries(entries) as { [key in Key]?: string }
}
