/** Stores a manifest in a repository, once all it refers to is there. */
import { digestOf } from './blob-store.ts'
import {
  type PushedDescriptor,
  type PushedManifest,
  readPushedManifest,
} from './pushed-manifest.ts'
import { RegistryError } from './registry-error.ts'
import type { RegistryState } from './registry-state.ts'
import type { Repository, StoredImage } from './repository-store.ts'

export type ImagePush = {
  readonly repository: Repository
  readonly bytes: Uint8Array
  readonly contentType: string
  readonly tag?: string | undefined
}

/** @throws {RegistryError} when the manifest is invalid, incomplete or would move a fixed tag. */
export async function pushImage(state: RegistryState, push: ImagePush): Promise<StoredImage> {
  const { repository, bytes, contentType, tag } = push
  const manifest = readPushedManifest(bytes, contentType)
  const digest = digestOf(bytes)
  for (const blob of manifest.blobs) requireBlob(repository, blob)
  for (const child of manifest.children) requireChild(repository, child)
  if (tag !== undefined) checkMutability(repository, tag, digest)
  await state.blobs.put(bytes)
  const image = repository.images.get(digest) ?? describeImage(state, repository, manifest, digest)
  // pushing it again restores an archived image
  image.isArchived = false
  repository.images.set(digest, image)
  if (tag !== undefined) repository.tags.set(tag, digest)
  await state.repositories.save(repository)
  return image
}

function describeImage(
  state: RegistryState,
  repository: Repository,
  manifest: PushedManifest,
  digest: string,
): StoredImage {
  const childBytes = manifest.children.map(
    (child) => repository.images.get(child.digest)?.sizeBytes,
  )
  const sizes = [...manifest.blobs.map((blob) => blob.size), ...childBytes]
  return {
    digest,
    mediaType: manifest.mediaType,
    ...(manifest.artifactMediaType && { artifactMediaType: manifest.artifactMediaType }),
    sizeBytes: sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0),
    pushedAtMs: state.nowMs(),
    references: [...manifest.blobs, ...manifest.children].map((one) => one.digest),
  }
}

function requireBlob(repository: Repository, { digest, size }: PushedDescriptor): void {
  const stored = repository.layers.get(digest)
  if (stored === undefined) {
    throw new RegistryError(400, 'MANIFEST_BLOB_UNKNOWN', `blob unknown to registry: ${digest}`)
  }
  if (stored !== size) {
    throw new RegistryError(400, 'SIZE_INVALID', `${digest} has ${stored} bytes, not ${size}`)
  }
}

function requireChild(repository: Repository, { digest }: PushedDescriptor): void {
  if (!repository.images.has(digest)) {
    throw new RegistryError(
      400,
      'MANIFEST_BLOB_UNKNOWN',
      `Images with digests '[${digest}]' required for pushing image into repository with name '${repository.name}' do not exist`,
    )
  }
}

function checkMutability(repository: Repository, tag: string, digest: string): void {
  const tagged = repository.tags.get(tag)
  if (repository.imageTagMutability === 'MUTABLE' || tagged === undefined) return
  if (tagged === digest) return
  throw new RegistryError(
    400,
    'TAG_INVALID',
    `The image tag '${tag}' already exists in the '${repository.name}' repository and cannot be overwritten because the tag is immutable.`,
  )
}
