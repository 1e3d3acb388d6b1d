/**
 * Packed layers kept between pulls: `<cache>/docker/<digest>.<parameters>.packed`. A name holds all that
 * decides the bytes, so entries are never changed, only made, found and removed, by any number of
 * processes and hosts at once.
 */
import { createHash } from 'node:crypto'
import { lstat, readdir, rename, unlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Compression } from '../squashfs/compression.ts'
import { fileServerTime, removeAbandonedFiles } from './abandoned-files.ts'
import { type AtomicFile, createAtomicFile } from './atomic-file.ts'
import { diskError, isDiskError } from './disk-error.ts'
import { type FileLock, type FileLockOptions, removeDeadLock, takeFileLock } from './file-lock.ts'
import { makePrivateDirectory } from './private-directory.ts'
import { temporaryName } from './temporary-name.ts'

/** All that decides the bytes of a packed layer. */
export type LayerCacheKey = {
  /** Digest of the blob as the registry stores it. */
  readonly digest: { readonly algorithm: string; readonly hex: string }
  readonly compression: Compression
  readonly blockSize: number
  /** Version of the packed layer's form. */
  readonly formatVersion: number
}

export type CachedLayer = {
  readonly path: string
  readonly sizeBytes: number
  /** When it was last used or made, by the file system's clock; milliseconds since 1970. */
  readonly usedMs: number
  /** False when the file belongs to another user: a shared cache is only as good as its writers. */
  readonly isOwn: boolean
}

export type CleanOptions = {
  /** Removes entries not used for this long; by default the age removes nothing. */
  readonly olderMs?: number
  /** Removes the entries longest unused until no more than this is left; by default no bound. */
  readonly maxBytes?: number
  /** Entries used within this time are spared: a pull may be using them; an hour by default. */
  readonly spareMs?: number
}

export type CleanResult = {
  readonly removed: readonly CachedLayer[]
  readonly freedBytes: number
  readonly keptBytes: number
}

const ending = '.packed'
const lockEnding = '.lock'
const layoutEnding = '.layout'
const minimumAgeMs = 60 * 60 * 1000

/** The layer cache below a cache directory (`SINGULARITY_CACHEDIR`); nothing is touched until used. */
export function layerCache(cacheDirectory: string): LayerCache {
  return new LayerCache(join(cacheDirectory, 'docker'))
}

export class LayerCache {
  readonly directory: string

  constructor(directory: string) {
    this.directory = directory
  }

  pathOf(key: LayerCacheKey): string {
    return join(this.directory, layerFileName(key))
  }

  /** Where it is kept how the last image of a repository was laid out. */
  layoutPath(repository: string): string {
    const name = createHash('sha256').update(repository).digest('hex')
    return join(this.directory, `${name}${layoutEnding}`)
  }

  /** The name by which a layer is shown, whether or not it is there: `…/docker/sha256:….tar.gz`. */
  displayPath(digest: { readonly algorithm: string; readonly hex: string }): string {
    return join(this.directory, `${digest.algorithm}:${digest.hex}.tar.gz`)
  }

  /**
   * The entry of this key, marked as used now; undefined when there is none. It may vanish at any time
   * (ENOENT when opened): then it counts as missing.
   * @throws {SregistryError} NOT_WRITABLE, STORAGE when the directory cannot be read.
   */
  async find(key: LayerCacheKey): Promise<CachedLayer | undefined> {
    const path = this.pathOf(key)
    const entry = await this.#look(path)
    if (entry !== undefined) await touch(path)
    return entry
  }

  /**
   * A file to write the entry of this key into; `commit({ replace: false })` publishes it.
   * @throws {SregistryError} NOT_WRITABLE, DISK_FULL, STORAGE.
   */
  async create(key: LayerCacheKey): Promise<AtomicFile> {
    await makePrivateDirectory(this.directory, 'cache')
    return createAtomicFile(this.pathOf(key), { place: 'cache', mode: 0o644 })
  }

  /**
   * The right to make the entry of this key, where nobody else has it; waits for whoever does.
   * @returns undefined when it is to be made without one, or is there.
   * @throws {SregistryError} CANCELLED.
   */
  async lock(
    key: LayerCacheKey,
    options: Pick<FileLockOptions, 'onWait' | 'signal'>,
  ): Promise<FileLock | undefined> {
    const path = this.pathOf(key)
    try {
      await makePrivateDirectory(this.directory, 'cache')
    } catch {
      // a cache that cannot be written has no entries to be made: `create` tells
      return undefined
    }
    const isDone = async () => (await this.#look(path).catch(() => undefined)) !== undefined
    return takeFileLock(`${path}${lockEnding}`, { ...options, isDone })
  }

  /** Takes a damaged entry away, so that it is made anew; whoever reads it now can finish. */
  async discard(key: LayerCacheKey): Promise<void> {
    await removeByRename(this.directory, this.pathOf(key))
  }

  /** The entries, longest unused first; other programs' files in the directory are not ours to list. */
  async list(): Promise<readonly CachedLayer[]> {
    const names = await this.#names(ending)
    const entries = await Promise.all(names.map((name) => this.#look(join(this.directory, name))))
    return entries.filter((entry) => entry !== undefined).sort((a, b) => a.usedMs - b.usedMs)
  }

  async sizeBytes(): Promise<number> {
    return totalBytes(await this.list())
  }

  /**
   * Removes old entries, and what crashed runs left.
   * @throws {SregistryError} NOT_WRITABLE, STORAGE.
   */
  async clean(options: CleanOptions = {}): Promise<CleanResult> {
    await removeAbandonedFiles(this.directory)
    for (const name of await this.#names(lockEnding))
      await removeDeadLock(join(this.directory, name))
    // small, and good only as long as their layers are: made again with the next image
    for (const name of await this.#names(layoutEnding))
      await unlink(join(this.directory, name)).catch(() => undefined)
    const entries = await this.list()
    const now = (await fileServerTime(this.directory)) ?? Date.now()
    const removed: CachedLayer[] = []
    for (const entry of entriesToRemove(entries, now, options)) {
      if (await removeByRename(this.directory, entry.path)) removed.push(entry)
    }
    const freedBytes = totalBytes(removed)
    return { removed, freedBytes, keptBytes: totalBytes(entries) - freedBytes }
  }

  async #names(suffix: string): Promise<readonly string[]> {
    try {
      return (await readdir(this.directory)).filter((name) => name.endsWith(suffix))
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return []
      throw diskError(error, this.directory, 'cache', 'read')
    }
  }

  async #look(path: string): Promise<CachedLayer | undefined> {
    try {
      const stats = await lstat(path)
      if (!stats.isFile()) return undefined
      const isOwn = process.getuid === undefined || stats.uid === process.getuid()
      return { path, sizeBytes: stats.size, usedMs: stats.mtimeMs, isOwn }
    } catch (error) {
      if (isDiskError(error, 'ENOENT')) return undefined
      throw diskError(error, path, 'cache', 'read')
    }
  }
}

/** `sha256:<hex>.gzip-5.131072.v1.zlib-1.3.1.packed`: lower case throughout, no name of the user in it. */
export function layerFileName(key: LayerCacheKey): string {
  const { kind, level } = key.compression
  const parameters = [`${kind}-${level}`, key.blockSize, `v${key.formatVersion}`, encoder(kind)]
  return `${key.digest.algorithm}:${key.digest.hex}.${parameters.join('.')}${ending}`
}

/** The library that compresses: another version may give other bytes for the same input. */
function encoder(kind: Compression['kind']): string {
  if (kind === 'none') return 'raw'
  const library = kind === 'gzip' ? 'zlib' : 'zstd'
  const version = process.versions[library] ?? process.version
  return `${library}-${version.toLowerCase().replaceAll(/[^a-z0-9.-]/g, '_')}`
}

/** Which entries a cleaning takes: the too old ones, then the longest unused above the bound. */
export function entriesToRemove(
  entries: readonly CachedLayer[],
  nowMs: number,
  options: CleanOptions,
): readonly CachedLayer[] {
  const spareMs = options.spareMs ?? minimumAgeMs
  const oldestFirst = [...entries].sort((a, b) => a.usedMs - b.usedMs)
  let kept = totalBytes(entries)
  return oldestFirst.filter((entry) => {
    const ageMs = nowMs - entry.usedMs
    const isTooOld = options.olderMs !== undefined && ageMs >= options.olderMs
    const isTooMuch = options.maxBytes !== undefined && kept > options.maxBytes
    if (ageMs < spareMs || !(isTooOld || isTooMuch)) return false
    kept -= entry.sizeBytes
    return true
  })
}

function totalBytes(entries: readonly CachedLayer[]): number {
  return entries.reduce((sum, entry) => sum + entry.sizeBytes, 0)
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  // another user's entry or a read-only cache: it can be used all the same
  await utimes(path, now, now).catch(() => undefined)
}

/** First out of sight under a name of the temporary form, so that no one finds half of it, then away. */
async function removeByRename(directory: string, path: string): Promise<boolean> {
  const trash = join(directory, temporaryName())
  try {
    await rename(path, trash)
  } catch (error) {
    if (isDiskError(error, 'ENOENT')) return false
    throw diskError(error, path, 'cache', 'remove')
  }
  await unlink(trash).catch(() => undefined)
  return true
}
