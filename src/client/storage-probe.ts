/** Whether a pull could keep what it makes: storage, layer cache and catalogue writable, with room. */
import { join } from 'node:path'
import { throwIfCancelled } from '../errors/cancelled.ts'
import { createAtomicFile } from '../storage/atomic-file.ts'
import { checkFreeSpace, freeBytes } from '../storage/free-space.ts'
import { layerCache } from '../storage/layer-cache.ts'
import { makePrivateDirectory } from '../storage/private-directory.ts'
import type { ClientContext } from './client-context.ts'

export type StorageProbeOptions = {
  /** Room that the image will want in each place. */
  readonly neededBytes: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Makes the directories, as a pull would, and writes a file in each that is gone again.
 * @returns a line about them.
 * @throws {SregistryError} NOT_WRITABLE, DISK_FULL, STORAGE, DATABASE naming the place.
 */
export async function probeStorage(
  context: ClientContext,
  { neededBytes, signal }: StorageProbeOptions,
): Promise<string> {
  const { settings, catalog } = context
  const storage = settings.storage()
  const cache = layerCache(settings.cache()).directory
  await probeDirectory(storage, 'storage', neededBytes)
  throwIfCancelled(signal, 'the examination')
  await probeDirectory(cache, 'cache', neededBytes)
  await probeCatalog(context)
  const free = await freeBytes(storage, 'storage')
  const database = catalog.uri ?? 'disabled'
  return `storage ${storage}, ${gibibytes(free)} free; cache ${cache}; database ${database}`
}

async function probeDirectory(
  directory: string,
  place: 'storage' | 'cache',
  neededBytes: number,
): Promise<void> {
  await makePrivateDirectory(directory, place)
  const file = await createAtomicFile(join(directory, 'doctor'), { place })
  await file.abort()
  await checkFreeSpace(directory, neededBytes, place)
}

/** Forgetting a record that is not there is the smallest write there is. */
async function probeCatalog({ catalog }: ClientContext): Promise<void> {
  await catalog.remove({
    name: 'doctor',
    tag: 'none',
    client: 'local',
    uri: 'local://doctor:none',
    path: '/nonexistent',
    sizeBytes: 0,
    format: 'squashfs',
    pulled: new Date(0).toISOString(),
    labels: {},
  })
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`
}
