/** A small image made by code: two layers, a config, a manifest, and the paths a registry serves them at. */
import { createHash } from 'node:crypto'
import type { Descriptor } from '../../src/registry/descriptor.ts'
import { computeDigest, formatDigest } from '../../src/registry/digest.ts'
import {
  dockerConfigType,
  dockerManifestType,
  ociIndexType,
} from '../../src/registry/media-types.ts'
import { type FaultServer, ranged, reply } from '../fakes/fault-server.ts'

export const gzipLayerType = 'application/vnd.docker.image.rootfs.diff.tar.gzip'

/** Bytes that look random and are the same every time. */
export function noise(sizeBytes: number, seed = 'noise'): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at * 32 < sizeBytes; at += 1) {
    parts.push(createHash('sha256').update(`${seed}${at}`).digest())
  }
  return Buffer.concat(parts).subarray(0, sizeBytes)
}

export function descriptorOf(bytes: Uint8Array, mediaType = gzipLayerType): Descriptor {
  return { mediaType, digest: computeDigest(bytes), sizeBytes: bytes.byteLength }
}

export function rawDescriptor(bytes: Uint8Array, mediaType: string, more: object = {}): object {
  const digest = formatDigest(computeDigest(bytes))
  return { mediaType, digest, size: bytes.byteLength, ...more }
}

export type FixtureImage = {
  readonly layers: readonly Uint8Array[]
  readonly config: Uint8Array
  readonly manifest: Uint8Array
}

export function makeImage(seed = 'image', architecture = 'amd64'): FixtureImage {
  const layers = [noise(5000, `${seed}0`), noise(70_000, `${seed}1`)]
  const config = Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture,
      config: { Env: ['PATH=/bin'], Cmd: ['sh'], Entrypoint: null },
      rootfs: {
        type: 'layers',
        diff_ids: layers.map((layer) => formatDigest(computeDigest(layer))),
      },
    }),
  )
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: dockerManifestType,
      config: rawDescriptor(config, dockerConfigType),
      layers: layers.map((layer) => rawDescriptor(layer, gzipLayerType)),
    }),
  )
  return { layers, config, manifest }
}

export function makeIndex(entries: readonly object[]): Uint8Array {
  return Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: ociIndexType, manifests: entries }),
  )
}

export function manifestPath(repository: string, bytes: Uint8Array): string {
  return `/v2/${repository}/manifests/${formatDigest(computeDigest(bytes))}`
}

export function blobPath(repository: string, bytes: Uint8Array): string {
  return `/v2/${repository}/blobs/${formatDigest(computeDigest(bytes))}`
}

/** Serves the image under the tag and by digest. */
export function serve(
  server: FaultServer,
  repository: string,
  tag: string,
  image: FixtureImage,
): void {
  const manifest = reply(image.manifest, { 'content-type': dockerManifestType })
  server.on(`/v2/${repository}/manifests/${tag}`, manifest)
  server.on(manifestPath(repository, image.manifest), manifest)
  for (const blob of [image.config, ...image.layers]) {
    server.on(blobPath(repository, blob), ranged(blob))
  }
}
