/**
 * Manifests and indexes, of OCI and of Docker (image-spec manifest.md, image-index.md; Docker
 * schema 2). What is not a container image is refused by its name, not by a missing field.
 */
import { SregistryError } from '../errors/sregistry-error.ts'
import { artifactKind } from './artifact-kind.ts'
import { type Descriptor, parseDescriptor } from './descriptor.ts'
import {
  type JsonObject,
  maxManifestBytes,
  optionalString,
  own,
  parseJsonDocument,
  requiredList,
  stringMap,
} from './json-document.ts'
import { isIndexType, isManifestType, layerCompression } from './media-types.ts'
import { visibleText } from './visible-text.ts'

export type Manifest = {
  readonly kind: 'manifest'
  readonly mediaType: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

export type Index = {
  readonly kind: 'index'
  readonly mediaType: string
  readonly manifests: readonly Descriptor[]
  readonly annotations: Readonly<Record<string, string>>
}

const maxLayers = 1024
const maxIndexEntries = 1024

/**
 * @param contentType What the answer's header said; the body may leave its own mediaType out.
 * @throws {SregistryError} MANIFEST_INVALID, LIMIT_EXCEEDED; NOT_AN_IMAGE naming what it is.
 */
export function parseManifest(
  bytes: Uint8Array,
  contentType: string,
  what: string,
): Manifest | Index {
  const document = parseJsonDocument(bytes, what, maxManifestBytes)
  refuseSchemaOne(document, what)
  const mediaType = agreedMediaType(document, contentType, what)
  return isIndexType(mediaType)
    ? parseIndex(document, mediaType, what)
    : parseImageManifest(document, mediaType, what)
}

/**
 * @throws {SregistryError} NOT_AN_IMAGE when the manifest is an artifact's: a chart, a signature …
 * Apart from parsing, because `manifest(ref)` may show what `pull` must refuse.
 */
export function requireImage(manifest: Manifest, what: string): void {
  const types = [manifest.config.mediaType, ...manifest.layers.map((layer) => layer.mediaType)]
  for (const type of types) {
    const kind = artifactKind(type)
    if (kind !== undefined) throw notAnImage(what, kind.name, kind.hint)
  }
  const strange = manifest.layers.find((layer) => layerCompression(layer.mediaType) === undefined)
  if (strange !== undefined) {
    throw notAnImage(what, `an artifact with layers of type ${visibleText(strange.mediaType, 120)}`)
  }
}

function parseIndex(document: JsonObject, mediaType: string, what: string): Index {
  const entries = requiredList(document, 'manifests', what)
  if (entries.length > maxIndexEntries) throw tooMany(what, entries.length, 'entries')
  return {
    kind: 'index',
    mediaType,
    manifests: entries.map((entry, at) => parseDescriptor(entry, `${what}, entry ${at + 1}`)),
    annotations: stringMap(document, 'annotations', what),
  }
}

function parseImageManifest(document: JsonObject, mediaType: string, what: string): Manifest {
  const artifactType = optionalString(document, 'artifactType', what)
  if (artifactType !== undefined && artifactType !== '') {
    const kind = artifactKind(artifactType)
    throw notAnImage(
      what,
      kind?.name ?? `an artifact of type ${visibleText(artifactType, 120)}`,
      kind?.hint,
    )
  }
  const layers = requiredList(document, 'layers', what)
  if (layers.length > maxLayers) throw tooMany(what, layers.length, 'layers')
  return {
    kind: 'manifest',
    mediaType,
    config: parseDescriptor(own(document, 'config'), `${what}, config`),
    layers: layers.map((layer, at) => parseDescriptor(layer, `${what}, layer ${at + 1}`)),
    annotations: stringMap(document, 'annotations', what),
  }
}

/**
 * One type for header and body. A body that can be read as both kinds, or that says another type than
 * its header, is how one registry shows a scanner and a runtime two images (CVE-2021-41190).
 */
function agreedMediaType(document: JsonObject, contentType: string, what: string): string {
  const named = optionalString(document, 'mediaType', what)
  const hasEntries = own(document, 'manifests') !== undefined
  const hasLayers = own(document, 'layers') !== undefined || own(document, 'config') !== undefined
  if (hasEntries && hasLayers) {
    throw new SregistryError('MANIFEST_INVALID', `${what} is a manifest and an index at once`)
  }
  const isKnown = isIndexType(contentType) || isManifestType(contentType)
  if (named !== undefined && isKnown && named !== contentType) {
    const both = `${visibleText(named, 120)} inside, ${visibleText(contentType, 120)} outside`
    throw new SregistryError('MANIFEST_INVALID', `${what} has two media types: ${both}`)
  }
  const mediaType = named ?? contentType
  if (isIndexType(mediaType) !== hasEntries || (!isIndexType(mediaType) && !hasLayers)) {
    throw disagreeing(mediaType, what)
  }
  if (!isIndexType(mediaType) && !isManifestType(mediaType)) throw disagreeing(mediaType, what)
  return mediaType
}

function disagreeing(mediaType: string, what: string): SregistryError {
  const kind = artifactKind(mediaType)
  if (kind !== undefined) return notAnImage(what, kind.name, kind.hint)
  const type = visibleText(mediaType, 120)
  return isIndexType(mediaType) || isManifestType(mediaType)
    ? new SregistryError('MANIFEST_INVALID', `${what} is not what its type says: ${type}`)
    : notAnImage(what, `a document of type ${type === '' ? 'unknown' : type}`)
}

function refuseSchemaOne(document: JsonObject, what: string): void {
  if (own(document, 'schemaVersion') === 1 || own(document, 'fsLayers') !== undefined) {
    throw notAnImage(
      what,
      'a Docker schema 1 manifest',
      'push the image again with any Docker since 2017; schema 1 is not read',
    )
  }
  if (own(document, 'schemaVersion') !== 2) {
    throw new SregistryError('MANIFEST_INVALID', `${what}: schemaVersion is not 2`)
  }
}

function tooMany(what: string, count: number, things: string): SregistryError {
  return new SregistryError('LIMIT_EXCEEDED', `${what} has ${count} ${things}, over ${maxLayers}`)
}

function notAnImage(what: string, kind: string, hint?: string): SregistryError {
  return new SregistryError(
    'NOT_AN_IMAGE',
    `${what} is ${kind}, not a container image`,
    hint === undefined ? {} : { hint },
  )
}
