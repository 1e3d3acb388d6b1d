/**
 * Pushing through the API alone, as ECR's own tools do: layers part by part, then the manifest. Limits
 * and words are ECR's.
 * @see botocore data/ecr/2015-09-21/service-2.json, InitiateLayerUpload …; REGISTRY § 1.3
 */
import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { appendFile, rm } from 'node:fs/promises'
import { ApiError, invalidParameter } from '../api-error.ts'
import { digestOf, isDigest } from '../blob-store.ts'
import { digestOfFile } from '../file-digest.ts'
import { pushImage } from '../image-push.ts'
import { RegistryError } from '../registry-error.ts'
import {
  type Call,
  constraint,
  type Operation,
  optionalText,
  repositoryOf,
  requiredList,
  requiredText,
} from './call.ts'

type Upload = {
  readonly repository: string
  readonly path: string
  sizeBytes: number
  lastPartBytes: number
  /** A part below ECR's least size, which only the last may be. */
  hasSmallPart: boolean
}

const partBytes = 10 * 2 ** 20
const leastPartBytes = 5 * 2 ** 20

/** Operations with the uploads that are open; a restart forgets them. */
export function pushOperations(): Readonly<Record<string, Operation>> {
  const uploads = new Map<string, Upload>()
  return {
    InitiateLayerUpload: (call) => initiate(call, uploads),
    UploadLayerPart: (call) => uploadPart(call, openUpload(call, uploads)),
    CompleteLayerUpload: async (call) => {
      const completed = await complete(call, openUpload(call, uploads))
      uploads.delete(completed.uploadId)
      return completed
    },
    PutImage: putImage,
  }
}

function initiate(call: Call, uploads: Map<string, Upload>): unknown {
  const { name } = repositoryOf(call)
  const uploadId = randomUUID()
  const path = call.state.blobs.temporaryPath()
  uploads.set(uploadId, {
    repository: name,
    path,
    sizeBytes: 0,
    lastPartBytes: leastPartBytes,
    hasSmallPart: false,
  })
  return { uploadId, partSize: partBytes }
}

function openUpload(call: Call, uploads: Map<string, Upload>): Upload {
  const { name } = repositoryOf(call)
  const uploadId = requiredText(call.input, 'uploadId')
  const upload = uploads.get(uploadId)
  if (upload?.repository === name) return upload
  throw new ApiError(
    'UploadNotFoundException',
    `The upload with id '${uploadId}' could not be found, or it is not valid for the repository with name '${name}' in the registry with id '${call.state.account.accountId}'`,
  )
}

async function uploadPart({ state, input }: Call, upload: Upload): Promise<unknown> {
  const bytes = Buffer.from(requiredText(input, 'layerPartBlob'), 'base64')
  const first = input['partFirstByte']
  const last = input['partLastByte']
  const isNext = first === upload.sizeBytes && last === upload.sizeBytes + bytes.byteLength - 1
  if (!isNext || bytes.byteLength > partBytes) {
    const text = `Layer part must follow the last valid byte ${upload.sizeBytes - 1} and have at most ${partBytes} bytes`
    throw new ApiError('InvalidLayerPartException', text)
  }
  upload.hasSmallPart ||= upload.lastPartBytes < leastPartBytes
  await appendFile(upload.path, bytes)
  upload.sizeBytes += bytes.byteLength
  upload.lastPartBytes = bytes.byteLength
  return {
    registryId: state.account.accountId,
    repositoryName: upload.repository,
    uploadId: input['uploadId'],
    lastByteReceived: upload.sizeBytes - 1,
  }
}

async function complete(
  call: Call,
  upload: Upload,
): Promise<{ readonly uploadId: string; readonly layerDigest: string }> {
  const { state, input } = call
  const repository = repositoryOf(call)
  const layerDigest = String(requiredList(input, 'layerDigests', 100)[0])
  if (!isDigest(layerDigest)) throw constraint('layerDigests', 'Member must be a valid digest')
  if (upload.sizeBytes === 0) {
    throw new ApiError(
      'EmptyUploadException',
      'The specified layer upload does not contain any layer parts',
    )
  }
  if (upload.hasSmallPart) {
    const text = 'Layer parts must be at least 5 MiB in size, but for the last'
    throw new ApiError('LayerPartTooSmallException', text)
  }
  const actual = await digestOfFile(createReadStream(upload.path))
  if (actual !== layerDigest) {
    throw new ApiError(
      'InvalidLayerException',
      `Layer digest '${layerDigest}' does not match the digest '${actual}' of what was uploaded`,
    )
  }
  if (repository.layers.has(layerDigest)) {
    await rm(upload.path, { force: true })
    throw new ApiError(
      'LayerAlreadyExistsException',
      `The layer with digest '${layerDigest}' already exists in the repository with name '${repository.name}' in the registry with id '${state.account.accountId}'`,
    )
  }
  await state.blobs.commit(upload.path, layerDigest)
  repository.layers.set(layerDigest, upload.sizeBytes)
  await state.repositories.save(repository)
  const names = { registryId: state.account.accountId, repositoryName: repository.name }
  return { ...names, uploadId: requiredText(input, 'uploadId'), layerDigest }
}

async function putImage(call: Call): Promise<unknown> {
  const { state, input } = call
  const repository = repositoryOf(call)
  const text = requiredText(input, 'imageManifest')
  const bytes = Buffer.from(text)
  const tag = optionalText(input, 'imageTag')
  const named = optionalText(input, 'imageDigest')
  const digest = digestOf(bytes)
  if (named !== undefined && named !== digest) {
    const text = `Image digest '${named}' does not match the calculated digest '${digest}'`
    throw new ApiError('ImageDigestDoesNotMatchException', text)
  }
  const isThere = repository.images.has(digest)
  if (isThere && (tag === undefined || repository.tags.get(tag) === digest)) {
    throw new ApiError(
      'ImageAlreadyExistsException',
      `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${repository.name}' in registry with id '${state.account.accountId}'`,
    )
  }
  const contentType = optionalText(input, 'imageManifestMediaType') ?? ''
  const image = await pushImage(state, { repository, bytes, contentType, tag }).catch(asApiError)
  const imageId = { imageDigest: digest, ...(tag === undefined ? {} : { imageTag: tag }) }
  const names = { registryId: state.account.accountId, repositoryName: repository.name }
  return {
    image: { ...names, imageId, imageManifest: text, imageManifestMediaType: image.mediaType },
  }
}

/** What the data plane says of a bad manifest, in the names of the API. */
function asApiError(error: unknown): never {
  if (!(error instanceof RegistryError)) throw error
  if (error.code === 'TAG_INVALID') {
    throw new ApiError('ImageTagAlreadyExistsException', error.message)
  }
  if (error.code !== 'MANIFEST_BLOB_UNKNOWN') throw invalidParameter(error.message)
  const isChild = error.message.startsWith('Images with digests')
  throw new ApiError(
    isChild ? 'ReferencedImagesNotFoundException' : 'LayersNotFoundException',
    error.message,
  )
}
