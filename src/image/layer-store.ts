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
import { sendToDisk } from '../storage/early-sync.ts'
import type { FileLock, LockHolder } from '../storage/file-lock.ts'
import type { LayerCache, LayerCacheKey } from '../storage/layer-cache.ts'
import { type RememberedLayout, recallLayout, rememberLayout } from './layout/remembered-layout.ts'
import { packedLayerVersion } from './packed-layer-format.ts'
import type { PackingParameters } from './packing-parameters.ts'

/** A layer that is being packed into a file that may become a cache entry. */
export type LayerDraft = {
  /** Where to write it. */
  readonly path: string
  /** The layer is whole: whoever waits for it may have it, while this image is still being made of it. */
  publish(): void
  /** Keeps what was written for the next image, where the store does. */
  commit(): Promise<void>
  /** Removes what was not committed. */
  abort(): Promise<void>
  /** A failure to write it, in our words; other errors as they are. */
  explain(error: unknown): unknown
}

/** Tells the diff id of a packed layer. @throws as `readPackedLayer`. */
export type ReadDiffId = (path: string) => Promise<Digest>

export type FindOptions = {
  readonly read: ReadDiffId
  readonly signal: AbortSignal
}

export type LayerStore = {
  /** The path of a layer packed before, with this diff id, or undefined. */
  look(blob: Digest, diffId: Digest, read: ReadDiffId): Promise<string | undefined>
  /**
   * As look, but where another process is making the layer that is waited for; where there is none then,
   * the caller makes it.
   */
  find(blob: Digest, diffId: Digest, options: FindOptions): Promise<string | undefined>
  create(blob: Digest): Promise<LayerDraft>
  /** What a layer is called in the output of a pull. */
  label(blob: Digest): string
  /** What is known of images made before; undefined where nothing is kept. */
  readonly memory: LayoutMemory | undefined
}

export type LayoutMemory = {
  /** How the last image of a repository (`HOST/library/busybox`) was laid out. */
  recall(repository: string): Promise<RememberedLayout | undefined>
  remember(repository: string, layout: RememberedLayout): Promise<void>
  /** The packed files of the first of these layers, up to one that is not there. */
  findFirst(blobs: readonly Digest[]): Promise<readonly string[]>
}

export type CachedLayersOptions = {
  /** Where layers go when the cache cannot be written: a shared one may be there to read only. */
  readonly fallback: LayerStore
  /** Told once that the cache is not written, and for each layer that another process is packing. */
  readonly onNote: (text: string) => void
}

/** The layers of the cache that have these parameters. */
export function cachedLayers(
  cache: LayerCache,
  parameters: PackingParameters,
  { fallback, onNote }: CachedLayersOptions,
): LayerStore {
  let cleaned: Promise<unknown> | undefined
  let isReadOnly = false
  const locks = new Map<string, FileLock>()
  return {
    look: (blob, diffId, read) => findCached(cache, keyOf(blob, parameters), { diffId, read }),
    find: async (blob, diffId, { read, signal }) => {
      const key = keyOf(blob, parameters)
      const onWait = (holder: LockHolder | undefined) => onNote(waitingText(blob, holder))
      const lock = await cache.lock(key, { onWait, signal })
      // made by another since the look, or while it was waited for
      const made = await findCached(cache, key, { diffId, read })
      if (made !== undefined) await lock?.release()
      else if (lock !== undefined) locks.set(blob.hex, lock)
      return made
    },
    create: async (blob) => {
      const lock = locks.get(blob.hex)
      locks.delete(blob.hex)
      // what killed pulls left goes before more is written
      cleaned ??= removeAbandonedFiles(cache.directory)
      await cleaned
      try {
        if (!isReadOnly) return draftOf(await cache.create(keyOf(blob, parameters)), lock)
      } catch (error) {
        await lock?.release()
        if (!isSregistryError(error) || error.code !== 'NOT_WRITABLE') throw error
        // several layers may come here at the same time
        if (!isReadOnly) onNote(`layers are not kept: ${error.message}`)
        isReadOnly = true
      }
      await lock?.release()
      return fallback.create(blob)
    },
    label: (blob) => cache.displayPath(blob),
    memory: layoutMemory(cache, parameters),
  }
}

/** What the cache tells of images whose layers have these parameters. */
export function layoutMemory(cache: LayerCache, parameters: PackingParameters): LayoutMemory {
  return {
    recall: (repository) => recallLayout(cache.layoutPath(repository)),
    remember: (repository, layout) => rememberLayout(cache.layoutPath(repository), layout),
    findFirst: (blobs) =>
      findFirst(
        cache,
        blobs.map((blob) => keyOf(blob, parameters)),
      ),
  }
}

function keyOf(digest: Digest, { compression, blockSize }: PackingParameters): LayerCacheKey {
  return { digest, compression, blockSize, formatVersion: packedLayerVersion }
}

/** Layers that are kept only until the image is done; the caller removes the directory. */
export function temporaryLayers(directory: string): LayerStore {
  let made = 0
  return {
    look: async () => undefined,
    find: async () => undefined,
    create: async () => {
      made += 1
      const file = await createAtomicFile(`${directory}/layer-${made}`, { place: 'work' })
      // kept or not, the image is done with it then
      const end = () => file.abort()
      return {
        path: file.path,
        publish: () => undefined,
        commit: end,
        abort: end,
        explain: (error) => file.explain(error),
      }
    },
    label: (blob) => `${blob.algorithm}:${blob.hex}.tar.gz`,
    memory: undefined,
  }
}

async function findFirst(
  cache: LayerCache,
  keys: readonly LayerCacheKey[],
): Promise<readonly string[]> {
  const paths: string[] = []
  for (const key of keys) {
    const entry = await cache.find(key)
    if (entry === undefined) break
    paths.push(entry.path)
  }
  return paths
}

/** An entry that is damaged or belongs to another tar stream is taken away and packed anew. */
async function findCached(
  cache: LayerCache,
  key: LayerCacheKey,
  { diffId, read }: { readonly diffId: Digest; readonly read: ReadDiffId },
): Promise<string | undefined> {
  const entry = await cache.find(key)
  if (entry === undefined) return undefined
  try {
    if ((await read(entry.path)).hex === diffId.hex) return entry.path
  } catch (error) {
    // another process may have cleaned the cache since
    if (isDiskError(error, 'ENOENT')) return undefined
    if (!isSregistryError(error) || error.code !== 'IMAGE_INVALID') throw error
  }
  // one that cannot be taken away is in nobody's way: the layer is packed elsewhere then
  await cache.discard(key).catch(() => undefined)
  return undefined
}

function waitingText(blob: Digest, holder: LockHolder | undefined): string {
  const who = holder === undefined ? 'another' : `process ${holder.pid} on ${holder.host}`
  return `waiting for ${who}, which is packing layer ${blob.algorithm}:${blob.hex.slice(0, 12)}`
}

function draftOf(file: AtomicFile, lock: FileLock | undefined): LayerDraft {
  const syncing = new BackgroundSync(file.handle)
  let publishing: Promise<boolean> | undefined
  const end = async (last: (isPublished: boolean) => Promise<unknown>): Promise<void> => {
    await syncing.stop()
    try {
      await last((await publishing) ?? false)
    } finally {
      await lock?.release()
    }
  }
  return {
    path: file.path,
    publish: () => {
      publishing ??= publish(file, syncing, lock)
    },
    commit: () =>
      end((isPublished) => (isPublished ? file.abort() : file.commit({ replace: false }))),
    abort: () => end(() => file.abort()),
    explain: (error) => file.explain(error),
  }
}

/** Whether the layer has its name. */
async function publish(
  file: AtomicFile,
  syncing: BackgroundSync,
  lock: FileLock | undefined,
): Promise<boolean> {
  await syncing.stop()
  try {
    if ((await file.publish()) === 'unsupported') return false
    await lock?.release()
    return true
  } catch {
    // the commit tries again, and tells
    return false
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
    this.#running ??= sendToDisk(this.#handle.fd).then(() => {
      this.#running = undefined
    })
  }
}
