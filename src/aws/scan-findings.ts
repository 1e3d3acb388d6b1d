/** What ECR's scanner found in an image. */
import type { EcrControlPlane } from './ecr-client.ts'
import { type ControlPlaneOptions, contextOf, type ImageName, imageId } from './repositories.ts'

export type ScanFindings = {
  /** `COMPLETE`, `ACTIVE`, `IN_PROGRESS`, `FAILED`, `UNSUPPORTED_IMAGE` …; `NOT_SCANNED` when there is none. */
  readonly status: string
  /** By severity: `CRITICAL`, `HIGH` … */
  readonly counts: Readonly<Record<string, number>>
  readonly completedAt: Date | undefined
  readonly description: string | undefined
}

/**
 * The summary of an image's scan. DescribeImages has none of it under the new basic scanning.
 * @throws {SregistryError} ACCESS_DENIED, NAME_UNKNOWN …; not for an image that was never scanned.
 */
export async function scanFindings(
  controlPlane: EcrControlPlane,
  repository: string,
  image: ImageName,
  options: ControlPlaneOptions = {},
): Promise<ScanFindings> {
  const { registryId, signal } = options
  const input = {
    repositoryName: repository,
    imageId: imageId(image),
    maxResults: 1,
    ...(registryId === undefined ? {} : { registryId }),
  }
  return controlPlane.call({
    operation: 'DescribeImageScanFindings',
    context: contextOf(repository, options, image),
    run: async (client, sdk) => {
      try {
        const command = new sdk.DescribeImageScanFindingsCommand(input)
        const answer = await client.send(command, signal && { abortSignal: signal })
        return {
          status: answer.imageScanStatus?.status ?? 'NOT_SCANNED',
          counts: answer.imageScanFindings?.findingSeverityCounts ?? {},
          completedAt: answer.imageScanFindings?.imageScanCompletedAt,
          description: answer.imageScanStatus?.description,
        }
      } catch (error) {
        if (!(error instanceof sdk.ScanNotFoundException)) throw error
        return { ...neverScanned }
      }
    },
    ...(signal === undefined ? {} : { signal }),
  })
}

const neverScanned: ScanFindings = {
  status: 'NOT_SCANNED',
  counts: {},
  completedAt: undefined,
  description: undefined,
}
