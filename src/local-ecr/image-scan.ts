/** Puts the result of a scan into the store, in place of a scanner. */
import { SregistryError } from '../errors/sregistry-error.ts'
import { missingRepository } from './api-error.ts'
import { findImage, type ImageKey, missingImage } from './image-lookup.ts'
import type { RegistryState } from './registry-state.ts'
import type { ScanFinding } from './repository-store.ts'

export type ScanToRecord = {
  readonly repository: string
  readonly image: ImageKey
  readonly findings: readonly ScanFinding[]
}

/** @throws {SregistryError} NAME_UNKNOWN or MANIFEST_UNKNOWN when the image is not there. */
export async function recordScan(state: RegistryState, scan: ScanToRecord): Promise<void> {
  const { accountId } = state.account
  const repository = state.repositories.get(scan.repository)
  if (repository === undefined) {
    throw new SregistryError('NAME_UNKNOWN', missingRepository(scan.repository, accountId))
  }
  const image = findImage(repository, scan.image)
  if (image === undefined) {
    const text = missingImage(scan.image, scan.repository, accountId)
    throw new SregistryError('MANIFEST_UNKNOWN', text)
  }
  image.scan = { completedAtMs: state.nowMs(), findings: scan.findings }
  await state.repositories.save(repository)
}
