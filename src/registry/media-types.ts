/** The media types of manifests, configs and layers, and what each means for us (OCI image-spec media-types.md, Docker). */

export const ociIndexType = 'application/vnd.oci.image.index.v1+json'
const dockerListType = 'application/vnd.docker.distribution.manifest.list.v2+json'
export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json'
export const dockerManifestType = 'application/vnd.docker.distribution.manifest.v2+json'
export const ociConfigType = 'application/vnd.oci.image.config.v1+json'
export const dockerConfigType = 'application/vnd.docker.container.image.v1+json'

/**
 * What every manifest request says it takes. Without the OCI types some registries answer 404, and
 * quay turns the image into schema 1; the last entry makes artifacts arrive so that they can be named.
 */
export const manifestAccept: string = [
  ociIndexType,
  dockerListType,
  ociManifestType,
  dockerManifestType,
  '*/*;q=0.1',
].join(', ')

/** How the bytes of a layer are to be opened; the magic of the stream has the last word. */
export type LayerCompression = 'gzip' | 'zstd' | 'none'

const layerTypes: Readonly<Record<string, LayerCompression>> = {
  'application/vnd.docker.image.rootfs.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.diff.tar.gzip': 'gzip',
  'application/vnd.docker.image.rootfs.diff.tar.zstd': 'zstd',
  'application/vnd.docker.image.rootfs.foreign.diff.tar': 'none',
  'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar': 'none',
  'application/vnd.oci.image.layer.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.v1.tar+zstd': 'zstd',
  'application/vnd.oci.image.layer.nondistributable.v1.tar': 'none',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip': 'gzip',
  'application/vnd.oci.image.layer.nondistributable.v1.tar+zstd': 'zstd',
}

/** The compression a layer's type names; undefined when it is no layer of a container image. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return Object.hasOwn(layerTypes, mediaType) ? layerTypes[mediaType] : undefined
}

/** Layers that may lie elsewhere (`urls`), mostly base layers of Windows. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType.includes('.foreign.') || mediaType.includes('.nondistributable.')
}

export function isIndexType(mediaType: string): boolean {
  return mediaType === ociIndexType || mediaType === dockerListType
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === ociManifestType || mediaType === dockerManifestType
}

/** `Type/Sub; charset=utf-8` → `type/sub` (RFC 9110 § 8.3.1: case-insensitive, parameters apart). */
export function bareMediaType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase()
}
