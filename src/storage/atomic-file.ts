/**
 * A file that appears under its final name whole or not at all: written under a temporary name beside
 * its target, fsynced, closed, renamed or linked, and the directory fsynced (FAULTS § 4.1). Whoever
 * makes one ends it with `commit` or `abort`; doing so twice is harmless.
 */
import { constants } from 'node:fs'
import { type FileHandle, link, lstat, open, rename, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SregistryError } from '../errors/sregistry-error.ts'
import { type DiskPlace, diskError, isDiskError, isSystemError } from './disk-error.ts'
import { currentUmask } from './process-umask.ts'
import { temporaryName } from './temporary-name.ts'
import { openTemporaries } from './unfinished-work.ts'

export type AtomicFileOptions = {
  /** What the target is for; decides which setting a hint names. */
  readonly place: DiskPlace
  /** Mode of the finished file, less the umask; 0600 by default, 0755 for images. */
  readonly mode?: number
}

export type CommitOptions = {
  /** Whether a file under the target's name is replaced; otherwise it stays and `existed` comes back. */
  readonly replace: boolean
}

/** Whether this process is writing a file under this temporary path. */
export function isOpenTemporary(path: string): boolean {
  return openTemporaries.has(path)
}

/**
 * Opens a new temporary file (0600) beside the target, whose directory must exist.
 * @throws {SregistryError} NOT_WRITABLE when the target is no regular file or its directory cannot be
 *   written; DISK_FULL; STORAGE.
 */
export async function createAtomicFile(
  target: string,
  options: AtomicFileOptions,
): Promise<AtomicFile> {
  await checkTarget(target, options.place)
  const path = join(dirname(target), temporaryName())
  openTemporaries.add(path)
  try {
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
    return new AtomicFile(target, path, await open(path, flags, 0o600), options)
  } catch (error) {
    openTemporaries.delete(path)
    throw diskError(error, target, options.place)
  }
}

/**
 * Writes a small file atomically, replacing what is there.
 * @throws {SregistryError} NOT_WRITABLE, DISK_FULL, STORAGE.
 */
export async function writeFileAtomically(
  target: string,
  bytes: Uint8Array,
  options: AtomicFileOptions,
): Promise<void> {
  const file = await createAtomicFile(target, options)
  try {
    await file.write(bytes)
    await file.commit({ replace: true })
  } finally {
    await file.abort()
  }
}

export class AtomicFile {
  readonly target: string
  /** Where the bytes go until they are committed; others may open it by this path as well. */
  readonly path: string
  /** Open for reading and writing until `commit` or `abort`. */
  readonly handle: FileHandle
  readonly #place: DiskPlace
  readonly #mode: number
  #isOpen = true

  constructor(target: string, path: string, handle: FileHandle, options: AtomicFileOptions) {
    this.target = target
    this.path = path
    this.handle = handle
    this.#place = options.place
    this.#mode = options.mode ?? 0o600
  }

  /**
   * Appends all the bytes.
   * @throws {SregistryError} DISK_FULL, NOT_WRITABLE, STORAGE.
   */
  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.handle.write(bytes, done)).bytesWritten
      }
    } catch (error) {
      throw diskError(error, this.target, this.#place)
    }
  }

  /**
   * Gives the file its final name, on the disk for good when this returns. On failure nothing is left.
   * @returns `existed` when `replace` is false and the name is taken: that file is left as it is.
   * @throws {SregistryError} DISK_FULL (a quota may speak up only now), NOT_WRITABLE, STORAGE.
   */
  async commit(options: CommitOptions): Promise<'committed' | 'existed'> {
    try {
      await this.handle.chmod(this.#mode & ~currentUmask())
      await this.handle.sync()
      const { ino, dev } = await this.handle.stat()
      await this.handle.close()
      const outcome = options.replace
        ? await this.#rename(ino, dev)
        : await this.#linkOrRename(ino, dev)
      await syncDirectory(dirname(this.target))
      return outcome
    } catch (error) {
      throw diskError(error, this.target, this.#place)
    } finally {
      await this.abort()
    }
  }

  /**
   * Gives the file its final name as `commit({ replace: false })` does, and keeps the temporary one: who
   * reads it by `path` may go on until `abort`, which leaves the final name.
   * @returns `unsupported` where a file cannot have two names: then only `commit` can.
   * @throws {SregistryError} DISK_FULL, NOT_WRITABLE, STORAGE; the file is as it was before.
   */
  async publish(): Promise<'committed' | 'existed' | 'unsupported'> {
    try {
      await this.handle.chmod(this.#mode & ~currentUmask())
      await this.handle.sync()
      const { ino, dev } = await this.handle.stat()
      const outcome = await this.#link(ino, dev)
      if (outcome !== 'unsupported') await syncDirectory(dirname(this.target))
      return outcome
    } catch (error) {
      throw diskError(error, this.target, this.#place)
    }
  }

  /** A failure of whoever writes through `handle` or `path`, in our words; other errors as they are. */
  explain(error: unknown): unknown {
    return isSystemError(error) ? diskError(error, this.target, this.#place) : error
  }

  /** Removes what is not committed. */
  async abort(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    // a commit that failed may have closed it, and an error of a file that is thrown away is no news
    await this.handle.close().catch(() => undefined)
    await unlinkIfThere(this.path)
    openTemporaries.delete(this.path)
  }

  async #rename(ino: number, dev: number): Promise<'committed'> {
    await checkTarget(this.target, this.#place)
    try {
      await rename(this.path, this.target)
    } catch (error) {
      if (!(await isFile(this.target, ino, dev))) throw error
    }
    return 'committed'
  }

  async #linkOrRename(ino: number, dev: number): Promise<'committed' | 'existed'> {
    const outcome = await this.#link(ino, dev)
    if (outcome !== 'unsupported') return outcome
    // a file system without hard links: between this look and the rename another may still come
    if (await exists(this.target)) return 'existed'
    return this.#rename(ino, dev)
  }

  async #link(ino: number, dev: number): Promise<'committed' | 'existed' | 'unsupported'> {
    try {
      await link(this.path, this.target)
      return 'committed'
    } catch (error) {
      // on NFS the link may be made and only the answer lost
      if (await isFile(this.target, ino, dev)) return 'committed'
      if (isDiskError(error, 'EEXIST')) return 'existed'
      if (!isDiskError(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error
      return 'unsupported'
    }
  }
}

/** A rename would replace a symlink or FIFO in silence, and fail late on a directory. */
async function checkTarget(target: string, place: DiskPlace): Promise<void> {
  const stats = await lstat(target).catch((error: unknown) => {
    if (isDiskError(error, 'ENOENT')) return undefined
    throw diskError(error, target, place)
  })
  if (stats === undefined || stats.isFile()) return
  const kind = stats.isDirectory() ? 'a directory' : 'not a regular file'
  throw new SregistryError('NOT_WRITABLE', `cannot write ${target}: it is ${kind}`, {
    hint: 'remove it, or choose another name with --name',
  })
}

async function isFile(path: string, ino: number, dev: number): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined)
  return stats !== undefined && stats.ino === ino && stats.dev === dev
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined
}

async function unlinkIfThere(path: string): Promise<void> {
  // gone already after a rename; anything else is left to `removeAbandonedFiles`
  await unlink(path).catch(() => undefined)
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // some network file systems refuse to fsync a directory: the name is there all the same
    if (!isDiskError(error, 'EINVAL', 'ENOTSUP', 'EISDIR', 'EBADF')) throw error
  } finally {
    await handle.close()
  }
}
