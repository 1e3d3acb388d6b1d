/** Scans of images: started, described. What a scanner would find is what the store was given. */
import { ApiError } from '../api-error.ts'
import { findImage, missingImage } from '../image-lookup.ts'
import type { Repository, ScanFinding, StoredImage } from '../repository-store.ts'
import {
  type Call,
  type ImageId,
  imageIdsOf,
  type Operation,
  pageOf,
  repositoryOf,
} from './call.ts'

type Asked = {
  readonly repository: Repository
  readonly image: StoredImage
  readonly imageId: ImageId
}

function describeImageScanFindings(call: Call): unknown {
  const asked = askedImage(call)
  const { scan } = asked.image
  if (scan === undefined) throw scanNotFound(call, asked)
  const { items: findings, ...next } = pageOf(call, scan.findings)
  return {
    ...namesOf(call, asked),
    imageScanStatus: scanStatus(scan.findings),
    imageScanFindings: {
      imageScanCompletedAt: scan.completedAtMs / 1000,
      vulnerabilitySourceUpdatedAt: scan.completedAtMs / 1000,
      findingSeverityCounts: countBySeverity(scan.findings),
      findings,
    },
    ...next,
  }
}

/** Finds nothing, in no time; an image with a scan keeps what was found. */
async function startImageScan(call: Call): Promise<unknown> {
  const asked = askedImage(call)
  asked.image.scan ??= { completedAtMs: call.state.nowMs(), findings: [] }
  await call.state.repositories.save(asked.repository)
  return { ...namesOf(call, asked), imageScanStatus: { status: 'IN_PROGRESS' } }
}

/** As DescribeImages has it too. */
export function scanStatus(findings: readonly ScanFinding[]): unknown {
  const description = `The scan was completed successfully. ${findings.length} findings were found.`
  return { status: 'COMPLETE', description }
}

function askedImage(call: Call): Asked {
  const repository = repositoryOf(call)
  const [id = {}] = imageIdsOf([call.input['imageId'] ?? {}])
  const image = findImage(repository, id)
  if (image !== undefined)
    return { repository, image, imageId: { ...id, imageDigest: image.digest } }
  const text = missingImage(id, repository.name, call.state.account.accountId)
  throw new ApiError('ImageNotFoundException', text)
}

function namesOf({ state }: Call, { repository, imageId }: Asked): object {
  return { registryId: state.account.accountId, repositoryName: repository.name, imageId }
}

function countBySeverity(findings: readonly ScanFinding[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { severity } of findings) counts[severity] = (counts[severity] ?? 0) + 1
  return counts
}

function scanNotFound({ state }: Call, { repository, imageId }: Asked): ApiError {
  const key = `{imageDigest:'${imageId.imageDigest}', imageTag:'${imageId.imageTag ?? 'null'}'}`
  return new ApiError(
    'ScanNotFoundException',
    `Image scan does not exist for the image with '${key}' in the repository with name '${repository.name}' in the registry with id '${state.account.accountId}'`,
  )
}

export const scanOperations: Readonly<Record<string, Operation>> = {
  DescribeImageScanFindings: describeImageScanFindings,
  StartImageScan: startImageScan,
}
