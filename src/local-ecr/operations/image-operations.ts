/** Images: list, describe, read, archive, delete. */
import { ApiError, invalidParameter } from '../api-error.ts'
import {
  findImage,
  type ImageKey,
  missingImage,
  parentsOf,
  removeImage,
  statusOf,
  tagsOf,
} from '../image-lookup.ts'
import type { Repository, StoredImage } from '../repository-store.ts'
import {
  type Call,
  constraint,
  type ImageId,
  imageIdsOf,
  type Operation,
  optionalList,
  pageOf,
  repositoryOf,
  requiredList,
  requiredText,
} from './call.ts'
import { scanStatus } from './scan-operations.ts'

const tagStatuses = ['TAGGED', 'UNTAGGED', 'ANY'] as const
/** Images are restored at once here: none is ever ACTIVATING. */
const imageStatuses = ['ACTIVE', 'ARCHIVED', 'ACTIVATING', 'ANY'] as const

function filterOf<Value extends string>(
  { input }: Call,
  field: 'tagStatus' | 'imageStatus',
  [known, otherwise]: readonly [known: readonly Value[], otherwise: Value],
): Value {
  const filter = (input['filter'] ?? {}) as Readonly<Record<string, unknown>>
  const given = filter[field] ?? otherwise
  const found = known.find((one) => one === given)
  if (found !== undefined) return found
  const rule = `Member must satisfy enum value set: [${known.join(', ')}]`
  throw constraint(`filter.${field}`, rule)
}

/** Only active images are listed, unless others are asked for. */
function filteredImages(call: Call, repository: Repository): readonly StoredImage[] {
  const status = filterOf(call, 'imageStatus', [imageStatuses, 'ACTIVE'])
  const images = [...repository.images.values()]
  return status === 'ANY' ? images : images.filter((image) => statusOf(image) === status)
}

function listImages(call: Call): unknown {
  const repository = repositoryOf(call)
  const status = filterOf(call, 'tagStatus', [tagStatuses, 'ANY'])
  const rows: ImageId[] = []
  for (const { digest: imageDigest } of filteredImages(call, repository)) {
    const tags = tagsOf(repository, imageDigest)
    if (status !== 'UNTAGGED') rows.push(...tags.map((imageTag) => ({ imageDigest, imageTag })))
    if (status !== 'TAGGED' && tags.length === 0) rows.push({ imageDigest })
  }
  const { items, ...next } = pageOf(call, rows)
  return { imageIds: items, ...next }
}

function describeImages(call: Call): unknown {
  const repository = repositoryOf(call)
  const ids = imageIdsOf(optionalList(call.input, 'imageIds', 100))
  if (ids.length > 0) {
    if (call.input['maxResults'] !== undefined) {
      throw invalidParameter('maxResults cannot be used together with imageIds')
    }
    const images = ids.map((id) => imageOf(call, repository, id))
    return { imageDetails: images.map((image) => detail(call, repository, image)) }
  }
  const status = filterOf(call, 'tagStatus', [tagStatuses, 'ANY'])
  const images = filteredImages(call, repository).filter((image) => {
    const isTagged = tagsOf(repository, image.digest).length > 0
    return status === 'ANY' || (status === 'TAGGED') === isTagged
  })
  const { items, ...next } = pageOf(call, images)
  return { imageDetails: items.map((image) => detail(call, repository, image)), ...next }
}

function imageOf({ state }: Call, repository: Repository, id: ImageKey): StoredImage {
  const image = findImage(repository, id)
  if (image === undefined) {
    const text = missingImage(id, repository.name, state.account.accountId)
    throw new ApiError('ImageNotFoundException', text)
  }
  return image
}

function detail({ state }: Call, repository: Repository, image: StoredImage): unknown {
  const tags = tagsOf(repository, image.digest)
  return {
    registryId: state.account.accountId,
    repositoryName: repository.name,
    imageDigest: image.digest,
    ...(tags.length > 0 && { imageTags: tags }),
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: image.pushedAtMs / 1000,
    imageManifestMediaType: image.mediaType,
    ...(image.artifactMediaType !== undefined && { artifactMediaType: image.artifactMediaType }),
    ...(image.lastPulledAtMs !== undefined && {
      lastRecordedPullTime: image.lastPulledAtMs / 1000,
    }),
    // the summary of the findings stays away, as under ECR's newer basic scanning
    ...(image.scan !== undefined && { imageScanStatus: scanStatus(image.scan.findings) }),
    imageStatus: statusOf(image),
  }
}

async function batchGetImage(call: Call): Promise<unknown> {
  const { state, input } = call
  const repository = repositoryOf(call)
  const images: unknown[] = []
  const failures: unknown[] = []
  for (const imageId of imageIdsOf(requiredList(input, 'imageIds', 100))) {
    const image = findImage(repository, imageId)
    if (image === undefined || image.isArchived) {
      failures.push(image === undefined ? missFailure(repository, imageId) : archived(imageId))
      continue
    }
    image.lastPulledAtMs = state.nowMs()
    images.push({
      registryId: state.account.accountId,
      repositoryName: repository.name,
      imageId: { ...imageId, imageDigest: image.digest },
      imageManifest: (await state.blobs.read(image.digest)).toString(),
      imageManifestMediaType: image.mediaType,
    })
  }
  return { images, failures }
}

function missFailure(repository: Repository, imageId: ImageKey): unknown {
  const tagged = imageId.imageTag === undefined ? undefined : repository.tags.get(imageId.imageTag)
  return tagged === undefined || imageId.imageDigest === undefined
    ? { imageId, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' }
    : {
        imageId,
        failureCode: 'ImageTagDoesNotMatchDigest',
        failureReason: 'The image tag does not refer to the image digest',
      }
}

function archived(imageId: ImageKey): unknown {
  return { imageId, failureCode: 'ImageInaccessible', failureReason: 'Requested image is archived' }
}

async function updateImageStorageClass(call: Call): Promise<unknown> {
  const { input, state } = call
  const repository = repositoryOf(call)
  const [imageId] = imageIdsOf([input['imageId']])
  const image = imageOf(call, repository, imageId ?? {})
  const target = requiredText(input, 'targetStorageClass')
  if (target !== 'STANDARD' && target !== 'ARCHIVE') {
    throw constraint(
      'targetStorageClass',
      'Member must satisfy enum value set: [STANDARD, ARCHIVE]',
    )
  }
  image.isArchived = target === 'ARCHIVE'
  await state.repositories.save(repository)
  return {
    registryId: state.account.accountId,
    repositoryName: repository.name,
    imageId,
    imageStatus: statusOf(image),
  }
}

async function batchDeleteImage(call: Call): Promise<unknown> {
  const repository = repositoryOf(call)
  const imageIds: ImageId[] = []
  const failures: unknown[] = []
  for (const imageId of imageIdsOf(requiredList(call.input, 'imageIds', 100))) {
    const image = findImage(repository, imageId)
    if (image === undefined) failures.push(missFailure(repository, imageId))
    else if (
      isLastName(repository, image, imageId) &&
      parentsOf(repository, image.digest).length > 0
    ) {
      failures.push({
        imageId,
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image referenced by manifest list: [${parentsOf(repository, image.digest).join(', ')}]`,
      })
    } else imageIds.push(...deleteNames(repository, image, imageId))
  }
  await call.state.repositories.save(repository)
  return { imageIds, failures }
}

/** Whether deleting this id deletes the image itself: by digest, or by its only tag. */
function isLastName(repository: Repository, image: StoredImage, id: ImageKey): boolean {
  return id.imageTag === undefined || tagsOf(repository, image.digest).length === 1
}

function deleteNames(repository: Repository, image: StoredImage, id: ImageKey): ImageId[] {
  const imageDigest = image.digest
  if (!isLastName(repository, image, id) && id.imageTag !== undefined) {
    repository.tags.delete(id.imageTag)
    return [{ imageDigest, imageTag: id.imageTag }]
  }
  const tags = tagsOf(repository, imageDigest)
  removeImage(repository, image)
  return tags.length === 0 ? [{ imageDigest }] : tags.map((imageTag) => ({ imageDigest, imageTag }))
}

export const imageOperations: Readonly<Record<string, Operation>> = {
  ListImages: listImages,
  DescribeImages: describeImages,
  BatchGetImage: batchGetImage,
  BatchDeleteImage: batchDeleteImage,
  UpdateImageStorageClass: updateImageStorageClass,
}
