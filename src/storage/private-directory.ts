/** Directories of ours: made with all their parents, open to their owner alone. */
import { mkdir } from 'node:fs/promises'
import { type DiskPlace, diskError } from './disk-error.ts'

/**
 * Makes a directory and its missing parents with mode 0700; one that exists keeps its mode, because
 * sharing it with a group is its owner's choice.
 * @throws {SregistryError} DISK_FULL, NOT_WRITABLE, STORAGE.
 */
export async function makePrivateDirectory(directory: string, place: DiskPlace): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw diskError(error, directory, place, 'make')
  }
}
