/**
 * An OCI layout with nothing but the layers in which one tag of another layout differs from a second: what
 * pulling it takes is those layers' own cost, start-up, token and downloads included.
 */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

type Descriptor = {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
}
type Manifest = { readonly config: Descriptor; readonly layers: readonly Descriptor[] }
type Config = { readonly rootfs: { readonly diff_ids: readonly string[] } }

/** Writes the layout into a new directory `target`, as `tag`. */
export function writeChangedLayers(
  layout: string,
  { tag, than, target }: { readonly tag: string; readonly than: string; readonly target: string },
): void {
  const known = new Set(manifestOf(layout, than).layers.map(({ digest }) => digest))
  const manifest = manifestOf(layout, tag)
  const isNew = manifest.layers.map(({ digest }) => !known.has(digest))
  const layers = manifest.layers.filter((_, index) => isNew[index])
  if (layers.length === 0) throw new Error(`${tag} has no layer that ${than} has not`)
  for (const { digest } of layers) {
    mkdirSync(dirname(blobPath(target, digest)), { recursive: true })
    copyFileSync(blobPath(layout, digest), blobPath(target, digest))
  }
  const whole = readBlob<Config>(layout, manifest.config.digest)
  const diffIds = whole.rootfs.diff_ids.filter((_, index) => isNew[index])
  const config = { ...whole, history: undefined, rootfs: { type: 'layers', diff_ids: diffIds } }
  const written = { ...manifest, config: writeBlob(target, config, manifest.config), layers }
  const annotations = { 'org.opencontainers.image.ref.name': tag }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const entry = { ...writeBlob(target, written, { mediaType }), annotations }
  const index = { schemaVersion: 2, manifests: [entry] }
  writeFileSync(join(target, 'index.json'), JSON.stringify(index))
  writeFileSync(join(target, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
}

function manifestOf(layout: string, tag: string): Manifest {
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    readonly manifests: readonly Descriptor[]
  }
  const found = index.manifests.find(
    ({ annotations }) => annotations?.['org.opencontainers.image.ref.name'] === tag,
  )
  if (found === undefined) throw new Error(`${layout} has no tag ${tag}`)
  return readBlob<Manifest>(layout, found.digest)
}

function readBlob<T>(layout: string, digest: string): T {
  return JSON.parse(readFileSync(blobPath(layout, digest), 'utf8')) as T
}

function writeBlob(
  layout: string,
  value: unknown,
  { mediaType }: { readonly mediaType: string },
): Descriptor {
  const bytes = Buffer.from(JSON.stringify(value))
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  writeFileSync(blobPath(layout, digest), bytes)
  return { mediaType, digest, size: bytes.length }
}

function blobPath(layout: string, digest: string): string {
  return join(layout, 'blobs', digest.replace(':', '/'))
}
