/** `/v2/N/blobs/DIGEST`: HEAD says the size, GET sends to a presigned URL on another origin. */
import { isDigest } from './blob-store.ts'
import { type DataPlaneRequest, repositoryOf } from './data-plane-request.ts'
import { RegistryError, withVersion } from './registry-error.ts'
import { emptyReply, type Reply } from './reply.ts'

export async function getBlob(call: DataPlaneRequest): Promise<Reply> {
  const { state, reference } = call
  sizeOf(call)
  const { urlTtlSeconds } = state.settings
  const url = state.urls.sign(reference, state.nowMs(), urlTtlSeconds, state.account.region)
  const location = `${state.account.blobOrigin}${url}`
  return emptyReply(307, withVersion({ location, 'content-length': '0' }))
}

export async function headBlob(call: DataPlaneRequest): Promise<Reply> {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(sizeOf(call)),
    'docker-content-digest': call.reference,
  }
  return emptyReply(200, withVersion(headers))
}

function sizeOf(call: DataPlaneRequest): number {
  const repository = repositoryOf(call)
  if (!isDigest(call.reference)) {
    throw new RegistryError(400, 'DIGEST_INVALID', `'${call.reference}' is not a digest`)
  }
  const sizeBytes = repository.layers.get(call.reference)
  if (sizeBytes === undefined) {
    throw new RegistryError(404, 'BLOB_UNKNOWN', 'blob unknown to registry')
  }
  return sizeBytes
}
