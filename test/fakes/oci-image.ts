/** Whole images made by code: layers, config and manifest, as an OCI layout, in a registry, or as a source. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { ImageSource } from '../../src/image/image-source.ts'
import type { Descriptor } from '../../src/registry/descriptor.ts'
import { computeDigest, formatDigest } from '../../src/registry/digest.ts'
import { parseImageConfig } from '../../src/registry/image-config.ts'
import { type LayerEntry, tarLayer } from './tar-layer.ts'

export const ociLayerTypes = {
  gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  none: 'application/vnd.oci.image.layer.v1.tar',
} as const
export const ociConfigType = 'application/vnd.oci.image.config.v1+json'
export const ociManifestType = 'application/vnd.oci.image.manifest.v1+json'

export type LayerBlob = {
  readonly bytes: Uint8Array
  readonly mediaType: string
  readonly diffId: string
}

export type OciImage = {
  readonly layers: readonly LayerBlob[]
  readonly config: Uint8Array
  readonly manifest: Uint8Array
}

export type ImageOptions = {
  /** Merged into the config document. */
  readonly config?: object
  /** Compression of the layers; default gzip. */
  readonly layerForm?: keyof typeof ociLayerTypes
}

/** A layer as a registry stores it. */
export function layerBlob(tar: Uint8Array, form: keyof typeof ociLayerTypes = 'gzip'): LayerBlob {
  const bytes = form === 'gzip' ? gzipSync(tar, { level: 1 }) : tar
  return { bytes, mediaType: ociLayerTypes[form], diffId: digestText(tar) }
}

/** An image of these layers, lowest first. */
export function makeImage(
  layers: readonly (readonly LayerEntry[])[],
  options: ImageOptions = {},
): OciImage {
  return imageOfBlobs(
    layers.map((entries) => layerBlob(tarLayer(entries), options.layerForm)),
    options.config,
  )
}

export function imageOfBlobs(layers: readonly LayerBlob[], config: object = {}): OciImage {
  const configBytes = json({
    created: '2024-05-01T12:00:00Z',
    os: 'linux',
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    config: { Env: ['PATH=/usr/bin:/bin'], Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
    ...config,
  })
  return { layers, config: configBytes, manifest: manifestOf(layers, configBytes) }
}

function manifestOf(layers: readonly LayerBlob[], config: Uint8Array): Uint8Array {
  return json({
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: { mediaType: ociConfigType, digest: digestText(config), size: config.length },
    layers: layers.map(({ bytes, mediaType }) => ({
      mediaType,
      digest: digestText(bytes),
      size: bytes.length,
    })),
  })
}

/** Writes the image as an OCI layout (image-spec image-layout.md) with one name in it. */
export function writeOciLayout(directory: string, image: OciImage, tag = 'latest'): void {
  mkdirSync(join(directory, 'blobs', 'sha256'), { recursive: true })
  const blobs = [image.config, image.manifest, ...image.layers.map(({ bytes }) => bytes)]
  for (const blob of blobs) {
    writeFileSync(join(directory, 'blobs', 'sha256', computeDigest(blob).hex), blob)
  }
  const manifest = {
    mediaType: ociManifestType,
    digest: digestText(image.manifest),
    size: image.manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': tag },
  }
  writeFileSync(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(directory, 'index.json'), json({ schemaVersion: 2, manifests: [manifest] }))
}

export type SourceOptions = {
  /** Waits before each layer's first byte, in milliseconds, by number of the layer. */
  readonly delaysMs?: readonly number[]
  /** Awaited before each layer's first byte, with its number. */
  readonly opening?: (layer: number) => Promise<void>
}

/** The image as buildImage takes it, its blobs handed out in small pieces. */
export function imageSource(
  image: OciImage,
  { delaysMs = [], opening = async () => undefined }: SourceOptions = {},
): ImageSource {
  const layers = image.layers.map(
    ({ bytes, mediaType }): Descriptor => ({
      mediaType,
      digest: computeDigest(bytes),
      sizeBytes: bytes.length,
    }),
  )
  return {
    reference: `registry.example/test/image@${digestText(image.manifest)}`,
    repository: 'registry.example/test/image',
    manifestDigest: computeDigest(image.manifest),
    config: parseImageConfig(image.config, layers.length, 'test'),
    layers,
    openLayer: (layer) => {
      const number = layers.findIndex(({ digest }) => digest.hex === layer.digest.hex)
      const begun = async () => {
        await delay(delaysMs[number] ?? 0)
        await opening(number)
      }
      return pieces(image.layers[number]?.bytes ?? new Uint8Array(), begun)
    },
  }
}

async function* pieces(bytes: Uint8Array, begun: () => Promise<void>): AsyncGenerator<Uint8Array> {
  await begun()
  const size = 48_611
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export function digestText(bytes: Uint8Array): string {
  return formatDigest(computeDigest(bytes))
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
