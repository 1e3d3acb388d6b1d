/**
 * Failures of the file system in our words: which directory, why, and the setting that moves the work
 * elsewhere. One translation for every writer, so that a full disk reads the same everywhere.
 */
import { constants } from 'node:os'
import { dirname } from 'node:path'
import { type ErrorCode, isSregistryError, SregistryError } from '../errors/sregistry-error.ts'

/** What a path is used for; decides which setting a hint names. */
export type DiskPlace = 'storage' | 'cache' | 'work' | 'database' | 'output'

const mends: Record<DiskPlace, string> = {
  storage: 'set SREGISTRY_STORAGE to another directory',
  cache: 'set SINGULARITY_CACHEDIR to another directory',
  work: 'set SREGISTRY_TMPDIR to another directory',
  database: 'set SREGISTRY_DATABASE to another directory',
  output: 'choose another directory',
}

type Translation = {
  readonly code: ErrorCode
  /** Goes on after "cannot write PATH: ". */
  readonly reason: string
  /** What to do, where moving the work is not the mend. */
  readonly hint?: (place: DiskPlace, path: string) => string
}

const makeRoom = (place: DiskPlace): string =>
  `make room with \`sregistry cache clean\`, or ${mends[place]}`

const translations: Readonly<Record<string, Translation>> = {
  ENOSPC: { code: 'DISK_FULL', reason: 'the disk is full', hint: makeRoom },
  EDQUOT: {
    code: 'DISK_FULL',
    reason: 'your quota is exceeded',
    hint: (place) =>
      `see \`quota -s\` or \`lfs quota\`; make room with \`sregistry cache clean\`, or ${mends[place]}`,
  },
  EFBIG: {
    code: 'DISK_FULL',
    reason: 'the file is larger than this file system or `ulimit -f` allows',
    hint: (place) => `raise \`ulimit -f\`, or ${mends[place]}`,
  },
  EROFS: { code: 'NOT_WRITABLE', reason: 'the file system is read-only' },
  EACCES: { code: 'NOT_WRITABLE', reason: 'permission denied' },
  EPERM: { code: 'NOT_WRITABLE', reason: 'the operation is not permitted' },
  EISDIR: { code: 'NOT_WRITABLE', reason: 'it is a directory' },
  ENOTDIR: { code: 'NOT_WRITABLE', reason: 'a part of its path is not a directory' },
  ENAMETOOLONG: {
    code: 'USAGE',
    reason: 'the name is too long (255 bytes a component, 4095 a path)',
    hint: () => 'choose a shorter name with --name',
  },
  EMFILE: {
    code: 'STORAGE',
    reason: 'this process has too many open files',
    hint: () => 'raise `ulimit -n`',
  },
  ENFILE: { code: 'STORAGE', reason: 'this machine has too many open files' },
  ESTALE: {
    code: 'STORAGE',
    reason: 'the file server lost the file',
    hint: () => 'run it again',
  },
  EIO: {
    code: 'STORAGE',
    reason: 'the disk reports an input/output error',
    hint: (place) => `check the disk, or ${mends[place]}`,
  },
}

/**
 * The name of a failed system call's error. Node 20's libuv has no name for EDQUOT and ESTALE
 * ("Unknown system error -122"), so the number decides.
 */
export function errorName(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { errno, code } = error as NodeJS.ErrnoException
  if (errno === -constants.errno.EDQUOT) return 'EDQUOT'
  if (errno === -constants.errno.ESTALE) return 'ESTALE'
  return code
}

/** Whether an error is one of these failures of the file system. */
export function isDiskError(error: unknown, ...names: readonly string[]): boolean {
  const name = errorName(error)
  return name !== undefined && names.includes(name)
}

/** Whether an error comes from a failed system call, as those of `fs` do. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'errno' in error && 'syscall' in error
}

/**
 * The same failure as an error of the closed set; errors that are ours already pass unchanged.
 * @param action `write`, `read`, `remove` …: goes into the sentence "cannot write PATH".
 */
export function diskError(
  error: unknown,
  path: string,
  place: DiskPlace,
  action: string = 'write',
): SregistryError {
  if (isSregistryError(error)) return error
  const name = errorName(error)
  const translation = name === undefined ? undefined : translations[name]
  if (translation === undefined) {
    return new SregistryError('STORAGE', `cannot ${action} ${path}: ${name ?? 'unknown failure'}`, {
      cause: error,
    })
  }
  const { code, reason, hint } = translation
  const elsewhere = `look at the rights of ${dirname(path)}, or ${mends[place]}`
  return new SregistryError(code, `cannot ${action} ${path}: ${reason}`, {
    hint: hint?.(place, path) ?? elsewhere,
    cause: error,
  })
}

/** What moves the work of this place to another directory, for hints. */
export function placeMend(place: DiskPlace): string {
  return mends[place]
}
