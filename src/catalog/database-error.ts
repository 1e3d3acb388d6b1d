/** SQLite's failures in our words (FAULTS § 2, B1–B12). */
import { lstat, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type ErrorCode, isSregistryError, SregistryError } from '../errors/sregistry-error.ts'
import { diskError } from '../storage/disk-error.ts'
import { fileSystemType } from '../storage/file-system-type.ts'

type Failure = { readonly code: ErrorCode; readonly reason: string; readonly hint: string }

const elsewhere =
  'set SREGISTRY_DATABASE to another directory, or SREGISTRY_DISABLE=1 to do without'

const failures: Readonly<Record<string, Failure>> = {
  SQLITE_BUSY: {
    code: 'DATABASE',
    reason: 'it stayed locked by another program',
    hint: `end that program (\`fuser\` names it) and run it again, or ${elsewhere}`,
  },
  SQLITE_READONLY: {
    code: 'NOT_WRITABLE',
    reason: 'it is read-only',
    hint: `look at the rights of the file and its directory, or ${elsewhere}`,
  },
  SQLITE_CANTOPEN: {
    code: 'NOT_WRITABLE',
    reason: 'it cannot be opened',
    hint: `look at the rights of the file and its directory, or ${elsewhere}`,
  },
  SQLITE_FULL: {
    code: 'DISK_FULL',
    reason: 'the disk is full',
    hint: `make room, or ${elsewhere}`,
  },
  SQLITE_IOERR: {
    code: 'STORAGE',
    reason: 'the file system failed (no room, a quota, no file locks)',
    hint: `see \`df\` and \`quota -s\`; put it on a local disk: ${elsewhere}`,
  },
}

const damaged = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB'])
const sqliteHeader = 'SQLite format 3\0'

/** Whether waiting may help. */
export function isLocked(error: unknown): boolean {
  return sqliteCode(error) === 'SQLITE_BUSY'
}

/** The failure as an error of the closed set, with the file system named where its locks may be at fault. */
export async function databaseError(error: unknown, file: string): Promise<SregistryError> {
  if (isSregistryError(error)) return error
  const code = sqliteCode(error)
  if (code === undefined) return diskError(error, file, 'database', 'use')
  const { reason, hint, ...rest } = failures[code] ?? {
    code: 'DATABASE' as const,
    reason: `the database failed (${code})`,
    hint: elsewhere,
  }
  const type = code === 'SQLITE_BUSY' || code === 'SQLITE_IOERR' ? await networkName(file) : ''
  return new SregistryError(rest.code, `cannot use the catalogue ${file}${type}: ${reason}`, {
    hint,
    cause: error,
  })
}

/**
 * Moves a damaged database aside, to `FILE.corrupt-<time>`, and never removes it. A file that only a
 * later SQLite can read, or that never was a database, stays where it is.
 * @throws {SregistryError} DATABASE when the database is damaged; returns when it is not.
 */
export async function keepAsideWhenCorrupt(error: unknown, file: string): Promise<void> {
  const code = sqliteCode(error)
  if (code === undefined || !damaged.has(code)) return
  // a device or pipe is nobody's database, and must not be moved
  if (!(await lstat(file)).isFile()) throw unreadable(file, error)
  const hasHeader = (await firstBytes(file)) === sqliteHeader
  if (code === 'SQLITE_NOTADB' && hasHeader) throw unreadable(file, error)
  const aside = `${file}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  try {
    await rename(file, aside)
  } catch (failure) {
    throw diskError(failure, file, 'database', 'move aside')
  }
  // a journal would be played back into the new database
  await rename(`${file}-journal`, `${aside}-journal`).catch(() => undefined)
  throw new SregistryError('DATABASE', `the catalogue ${file} is damaged; it is kept as ${aside}`, {
    hint: 'run it again: a new catalogue is made; `sregistry add --name NAME PATH` records images again',
    cause: error,
  })
}

function unreadable(file: string, cause: unknown): SregistryError {
  return new SregistryError('DATABASE', `${file} has a form that this SQLite cannot read`, {
    hint: 'it may be encrypted or of a later version: set SREGISTRY_DATABASE to another directory',
    cause,
  })
}

async function firstBytes(file: string): Promise<string> {
  const handle = await open(file, 'r').catch(() => undefined)
  if (handle === undefined) return ''
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sqliteHeader.length), 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function networkName(file: string): Promise<string> {
  const type = await fileSystemType(dirname(file))
  return type?.isNetwork === true ? ` (on ${type.name}, which may give no file locks)` : ''
}

function sqliteCode(error: unknown): string | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  return code?.startsWith('SQLITE_') === true ? code : undefined
}
