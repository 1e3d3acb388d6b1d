/** Layers, as a client without `/v2/` would read them. */
import { ApiError } from '../api-error.ts'
import { isDigest } from '../blob-store.ts'
import { parentsOf } from '../image-lookup.ts'
import { type Call, type Operation, repositoryOf, requiredList, requiredText } from './call.ts'

function batchCheckLayerAvailability(call: Call): unknown {
  const repository = repositoryOf(call)
  const layers: unknown[] = []
  const failures: unknown[] = []
  for (const item of requiredList(call.input, 'layerDigests', 100)) {
    const layerDigest = String(item)
    const layerSize = repository.layers.get(layerDigest)
    if (!isDigest(layerDigest)) {
      failures.push({
        layerDigest,
        failureCode: 'InvalidLayerDigest',
        failureReason: 'Requested layer digest is not a digest',
      })
    } else if (layerSize === undefined) {
      layers.push({ layerDigest, layerAvailability: 'UNAVAILABLE' })
    } else {
      layers.push({ layerDigest, layerAvailability: 'AVAILABLE', layerSize })
    }
  }
  return { layers, failures }
}

function getDownloadUrlForLayer(call: Call): unknown {
  const { state, input } = call
  const repository = repositoryOf(call)
  const layerDigest = requiredText(input, 'layerDigest')
  if (!repository.layers.has(layerDigest)) {
    throw new ApiError(
      'LayersNotFoundException',
      `The layer with digest '${layerDigest}' does not exist in the repository with name '${repository.name}' in the registry with id '${state.account.accountId}'`,
    )
  }
  if (parentsOf(repository, layerDigest).length === 0) {
    throw new ApiError(
      'LayerInaccessibleException',
      `The layer with digest '${layerDigest}' is not referenced by an image`,
    )
  }
  const { urlTtlSeconds } = state.settings
  const url = state.urls.sign(layerDigest, state.nowMs(), urlTtlSeconds, state.account.region)
  return { downloadUrl: `${state.account.blobOrigin}${url}`, layerDigest }
}

export const layerOperations: Readonly<Record<string, Operation>> = {
  BatchCheckLayerAvailability: batchCheckLayerAvailability,
  GetDownloadUrlForLayer: getDownloadUrlForLayer,
}
