/** What a pushed manifest must be before it is stored: a pure reading of its bytes. */
import { isDigest } from './blob-store.ts'
import { RegistryError } from './registry-error.ts'

export type PushedManifest = {
  readonly mediaType: string
  readonly artifactMediaType?: string
  /** Blobs that must be in the repository: config and layers. */
  readonly blobs: readonly PushedDescriptor[]
  /** Manifests that must be in the repository: the children of an index. */
  readonly children: readonly PushedDescriptor[]
}

export type PushedDescriptor = { readonly digest: string; readonly size: number }

const imageTypes = new Set([
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
])
const indexTypes = new Set([
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.index.v1+json',
])

/** Layers that registries do not hold ("foreign"): nothing of them is checked. */
const foreignLayer = /\.(?:foreign|nondistributable)\./

/**
 * @param contentType Of the request, without parameters.
 * @throws {RegistryError} 400 MANIFEST_INVALID, or 405 UNSUPPORTED for another type of manifest.
 */
export function readPushedManifest(bytes: Uint8Array, contentType: string): PushedManifest {
  const manifest = parseObject(bytes)
  const mediaType = contentType || String(manifest['mediaType'] ?? '')
  if (!imageTypes.has(mediaType) && !indexTypes.has(mediaType)) {
    throw new RegistryError(405, 'UNSUPPORTED', `Invalid parameter: media type '${mediaType}'`)
  }
  if (manifest['schemaVersion'] !== 2) throw invalid('schemaVersion must be 2')
  if (manifest['mediaType'] !== undefined && manifest['mediaType'] !== mediaType) {
    throw invalid('mediaType in the manifest and Content-Type differ')
  }
  if (indexTypes.has(mediaType)) {
    return { mediaType, blobs: [], children: descriptors(manifest['manifests'], 'manifests') }
  }
  const config = descriptors([manifest['config']], 'config')
  const layers = descriptors(manifest['layers'], 'layers')
  const artifactMediaType = (manifest['config'] as { mediaType?: unknown }).mediaType
  return {
    mediaType,
    blobs: [...config, ...layers],
    children: [],
    ...(typeof artifactMediaType === 'string' && { artifactMediaType }),
  }
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(bytes).toString())
  } catch {
    throw invalid('not JSON') // the parser's own words would only quote the manifest
  }
  if (typeof value !== 'object' || value === null) throw invalid('not an object')
  return value as Record<string, unknown>
}

function descriptors(list: unknown, field: string): PushedDescriptor[] {
  if (!Array.isArray(list)) throw invalid(`${field} is missing`)
  return list
    .filter((item) => !foreignLayer.test(String(item?.mediaType)))
    .map((item) => {
      const isComplete = isDigest(String(item?.digest)) && Number.isSafeInteger(item?.size)
      if (!isComplete) throw invalid(`${field} holds something that is no descriptor`)
      return { digest: item.digest, size: item.size }
    })
}

function invalid(reason: string): RegistryError {
  return new RegistryError(400, 'MANIFEST_INVALID', `manifest invalid: ${reason}`)
}
