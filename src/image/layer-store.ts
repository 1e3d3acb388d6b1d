/**
 * Where packed layers live while an image is built: in the layer cache for the next image, or, without
 * a cache, in a directory that goes when the image is done.
 */
import type { FileHandle } from 'node:fs/promises'
import { isSregistryError } from '../errors/sregistry-error.ts'
import type { Digest } from '../registry/digest.ts'
import { removeAbandonedFiles } from '../storage/abandoned-files.ts'
import { type AtomicFile, createAtomicFile } from '../storage/atomic-file.ts'
import { isDiskError } from '../storage/disk-error.ts'
import type { LayerCache, LayerCacheKey } from '../storage/layer-cache.ts'
import type { PackedLayer } from './packed-layer.ts'
import { packedLayerVersion } from './packed-layer-format.ts'
import { readPackedLayer } from './packed-layer-reader.ts'
import type { PackingParameters } from './packing-parameters.ts'

/** A layer that is being packed into a file that may become a cache entry. */
export type LayerDraft = {
  /** Where to write it. */
  readonly path: string
  /** Keeps what was written for the next image, where the store does. */
  commit(): Promise<void>
  /** Removes what was not committed. */
  abort(): Promise<void>
  /** A failure to write it, in our words; other errors as they are. */
  explain(error: unknown): unknown
}

export type LayerStore = {
  /** A layer packed before, with this diff id, or undefined. */
  find(blob: Digest, diffId: Digest): Promise<PackedLayer | undefined>
  create(blob: Digest): Promise<LayerDraft>
  /** What a layer is called in the output of a pull. */
  label(blob: Digest): string
}

export type CachedLayersOptions = {
  /** Where layers go when the cache cannot be written: a shared one may be there to read only. */
  readonly fallback: LayerStore
  /** Told once that the cache is not written. */
  readonly onNote: (text: string) => void
}

/** The layers of the cache that have these parameters. */
export function cachedLayers(
  cache: LayerCache,
  parameters: PackingParameters,
  { fallback, onNote }: CachedLayersOptions,
): LayerStore {
  const keyOf = (digest: Digest): LayerCacheKey => ({
    digest,
    compression: parameters.compression,
    blockSize: parameters.blockSize,
    formatVersion: packedLayerVersion,
  })
  let cleaned: Promise<unknown> | undefined
  let isReadOnly = false
  return {
    find: (blob, diffId) => findCached(cache, keyOf(blob), diffId),
    create: async (blob) => {
      if (isReadOnly) return fallback.create(blob)
      // what killed pulls left goes before more is written
      cleaned ??= removeAbandonedFiles(cache.directory)
      await cleaned
      try {
        return draftOf(await cache.create(keyOf(blob)))
      } catch (error) {
        if (!isSregistryError(error) || error.code !== 'NOT_WRITABLE') throw error
        // several layers may come here at the same time
        if (!isReadOnly) onNote(`layers are not kept: ${error.message}`)
        isReadOnly = true
        return fallback.create(blob)
      }
    },
    label: (blob) => cache.displayPath(blob),
  }
}

/** Layers that are kept only until the image is done; the caller removes the directory. */
export function temporaryLayers(directory: string): LayerStore {
  let made = 0
  return {
    find: async () => undefined,
    create: async () => {
      made += 1
      const file = await createAtomicFile(`${directory}/layer-${made}`, { place: 'work' })
      // kept or not, the image is done with it then
      const end = () => file.abort()
      return {
        path: file.path,
        commit: end,
        abort: end,
        explain: (error) => file.explain(error),
      }
    },
    label: (blob) => `${blob.algorithm}:${blob.hex}.tar.gz`,
  }
}

/** An entry that is damaged or belongs to another tar stream is taken away and packed anew. */
async function findCached(
  cache: LayerCache,
  key: LayerCacheKey,
  diffId: Digest,
): Promise<PackedLayer | undefined> {
  const entry = await cache.find(key)
  if (entry === undefined) return undefined
  try {
    const layer = await readPackedLayer(entry.path)
    if (layer.diffId.hex === diffId.hex) return layer
  } catch (error) {
    // another process may have cleaned the cache since
    if (isDiskError(error, 'ENOENT')) return undefined
    if (!isSregistryError(error) || error.code !== 'IMAGE_INVALID') throw error
  }
  // one that cannot be taken away is in nobody's way: the layer is packed elsewhere then
  await cache.discard(key).catch(() => undefined)
  return undefined
}

function draftOf(file: AtomicFile): LayerDraft {
  const syncing = new BackgroundSync(file.handle)
  return {
    path: file.path,
    commit: async () => {
      await syncing.stop()
      await file.commit({ replace: false })
    },
    abort: async () => {
      await syncing.stop()
      await file.abort()
    },
    explain: (error) => file.explain(error),
  }
}

/**
 * Sends what is written to the disk while packing goes on: packing keeps the processors busy and the
 * disk idle, so that the fsync at the end finds little left to do (1.2 s of 600 MB saved here).
 */
class BackgroundSync {
  readonly #handle: FileHandle
  readonly #timer: NodeJS.Timeout
  #running: Promise<void> | undefined

  constructor(handle: FileHandle) {
    this.#handle = handle
    this.#timer = setInterval(() => this.#sync(), 1000)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  #sync(): void {
    // a failure shows again, and counts, at the fsync before the rename
    this.#running ??= this.#handle
      .datasync()
      .catch(() => undefined)
      .then(() => {
        this.#running = undefined
      })
  }
}
