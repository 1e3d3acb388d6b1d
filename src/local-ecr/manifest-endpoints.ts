/** `/v2/N/manifests/REF`: GET without a digest header (as ECR), HEAD with it, PUT. */
import { digestOf, isDigest } from './blob-store.ts'
import { absoluteUrl, type DataPlaneRequest, repositoryOf } from './data-plane-request.ts'
import { findImage } from './image-lookup.ts'
import { pushImage } from './image-push.ts'
import { RegistryError, withVersion } from './registry-error.ts'
import { emptyReply, type Reply } from './reply.ts'
import type { StoredImage } from './repository-store.ts'
import { readBody } from './request-body.ts'

const maxManifestBytes = 4 * 1024 * 1024
const tagForm = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/

export async function getManifest(call: DataPlaneRequest): Promise<Reply> {
  const image = imageOf(call)
  image.lastPulledAtMs = call.state.nowMs()
  const body = await call.state.blobs.read(image.digest)
  return { status: 200, headers: withVersion({ 'content-type': image.mediaType }), body }
}

export async function headManifest(call: DataPlaneRequest): Promise<Reply> {
  const reply = await getManifest(call)
  const digest = imageOf(call).digest
  return { ...reply, headers: { ...reply.headers, 'docker-content-digest': digest } }
}

function imageOf(call: DataPlaneRequest): StoredImage {
  const repository = repositoryOf(call)
  const { reference } = call
  const key = isDigest(reference) ? { imageDigest: reference } : { imageTag: reference }
  const image = findImage(repository, key)
  // an archived image is answered as one that is not there (ECR User Guide, "Archiving an image")
  if (image === undefined || image.isArchived) {
    throw new RegistryError(404, 'MANIFEST_UNKNOWN', 'Requested image not found')
  }
  return image
}

export async function putManifest(call: DataPlaneRequest): Promise<Reply> {
  const { state, request, reference, name } = call
  const repository = repositoryOf(call)
  const bytes = await readBody(request, maxManifestBytes)
  if (bytes === undefined) {
    throw new RegistryError(400, 'MANIFEST_INVALID', 'manifest invalid: larger than 4 MiB')
  }
  const isByDigest = reference.includes(':')
  if (isByDigest && reference !== digestOf(bytes)) {
    throw new RegistryError(400, 'DIGEST_INVALID', 'The manifest does not have this digest')
  }
  if (!isByDigest && !tagForm.test(reference)) {
    throw new RegistryError(400, 'TAG_INVALID', `'${reference}' is not a tag`)
  }
  const contentType = (request.headers['content-type'] ?? '').split(';', 1)[0]?.trim() ?? ''
  const tag = isByDigest ? undefined : reference
  const image = await pushImage(state, { repository, bytes, contentType, tag })
  return emptyReply(
    201,
    withVersion({
      location: absoluteUrl(call, `/v2/${name}/manifests/${image.digest}`),
      'docker-content-digest': image.digest,
    }),
  )
}
