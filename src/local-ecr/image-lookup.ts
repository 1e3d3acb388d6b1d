/** Finding images in a repository, by tag or digest, for both planes. */
import type { Repository, StoredImage } from './repository-store.ts'

export type ImageKey = { readonly imageDigest?: string; readonly imageTag?: string }

/** Undefined when absent, or when tag and digest name different images. */
export function findImage(repository: Repository, key: ImageKey): StoredImage | undefined {
  const tagged = key.imageTag === undefined ? undefined : repository.tags.get(key.imageTag)
  if (key.imageTag !== undefined && tagged === undefined) return undefined
  if (tagged !== undefined && key.imageDigest !== undefined && tagged !== key.imageDigest) {
    return undefined
  }
  return repository.images.get(tagged ?? key.imageDigest ?? '')
}

export function statusOf({ isArchived }: StoredImage): 'ACTIVE' | 'ARCHIVED' {
  return isArchived ? 'ARCHIVED' : 'ACTIVE'
}

export function tagsOf(repository: Repository, digest: string): readonly string[] {
  return [...repository.tags].filter(([, tagged]) => tagged === digest).map(([tag]) => tag)
}

/** Digests of the indexes that have this image among their children. */
export function parentsOf(repository: Repository, digest: string): readonly string[] {
  return [...repository.images.values()]
    .filter((image) => image.references.includes(digest))
    .map((image) => image.digest)
}

/** Removes an image with its tags, and the layers that no image refers to any more. */
export function removeImage(repository: Repository, image: StoredImage): void {
  for (const tag of tagsOf(repository, image.digest)) repository.tags.delete(tag)
  repository.images.delete(image.digest)
  for (const layer of image.references) {
    if (parentsOf(repository, layer).length === 0) repository.layers.delete(layer)
  }
}

/** ECR's text for an image that is not there, the same on both planes. */
export function missingImage(key: ImageKey, repository: string, registryId: string): string {
  const digest = `imageDigest:'${key.imageDigest ?? 'null'}'`
  const tag = `imageTag:'${key.imageTag ?? 'null'}'`
  return `The image with imageId {${digest}, ${tag}} does not exist within the repository with name '${repository}' in the registry with id '${registryId}'`
}
