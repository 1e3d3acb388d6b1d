/**
 * `~/.sregistry` as it is written: atomically, with mode 0600, by one process at a time. Apart from its
 * reader, which every start of the program passes: `node:crypto` alone is 2 ms of the way to a prompt.
 */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { SettingsDocument } from './backend-settings.ts'
import { errorCode, readSettingsFile } from './settings-file.ts'

export type UpdateOptions = {
  /** A lock that stood unchanged for this long, by our own clock, belongs to nobody; 5 s by default. */
  readonly staleLockMs?: number
}

const defaultStaleLockMs = 5_000
const lockPollMs = 20

/**
 * Writes the settings in place of what is there, mode 0600. A symlink stays one: its target is replaced.
 * @throws {SregistryError} NOT_WRITABLE, DISK_FULL
 */
export function writeSettingsFile(path: string, document: SettingsDocument): void {
  const target = targetOf(path)
  refuseOtherKinds(path, target)
  const temporary = join(dirname(target), `.tmp-sregistry-${randomBytes(8).toString('hex')}`)
  try {
    const text = `${JSON.stringify(document, undefined, 4)}\n`
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true })
    renameSync(temporary, target)
    syncDirectory(dirname(target))
  } catch (error) {
    removeQuietly(temporary)
    throw writeError(path, error)
  }
}

/** A rename would put a file in place of `/dev/null`, as which people switch the file off. */
function refuseOtherKinds(path: string, target: string): void {
  const stats = statSync(target, { throwIfNoEntry: false })
  if (stats === undefined || stats.isFile()) return
  throw new SregistryError('NOT_WRITABLE', `cannot write ${path}: it is not a regular file`, {
    hint: 'set SREGISTRY_CLIENT_SECRETS to a file',
  })
}

/**
 * Reads, changes and writes the settings while no other process does.
 * @returns the settings as they are now.
 * @throws {SregistryError} SETTING_INVALID, NOT_WRITABLE, DISK_FULL, and what `change` throws: then
 *   nothing was written.
 */
export async function updateSettingsFile(
  path: string,
  change: (document: SettingsDocument) => SettingsDocument,
  options: UpdateOptions = {},
): Promise<SettingsDocument> {
  const lock = `${targetOf(path)}.lock`
  await takeLock(lock, options.staleLockMs ?? defaultStaleLockMs)
  try {
    const document = change(readSettingsFile(path))
    writeSettingsFile(path, document)
    return document
  } finally {
    removeQuietly(lock)
  }
}

/** Locks only save work: a stale one is taken over, and each write is atomic by itself. */
async function takeLock(lock: string, staleLockMs: number): Promise<void> {
  let seen: { mark: string; since: number } | undefined
  for (;;) {
    try {
      closeSync(openSync(lock, 'wx', 0o600))
      return
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw writeError(lock, error)
    }
    const mark = lockMark(lock)
    if (mark !== seen?.mark) seen = { mark, since: performance.now() }
    else if (performance.now() - seen.since > staleLockMs) removeQuietly(lock)
    await wait(lockPollMs)
  }
}

function lockMark(lock: string): string {
  const stats = lstatSync(lock, { throwIfNoEntry: false })
  return stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs}`
}

function targetOf(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    // not there yet: it will be made under this very name
    return path
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // it is gone, which is what was wanted
  }
}

function writeError(path: string, error: unknown): SregistryError {
  const code = errorCode(error)
  const isFull = code === 'ENOSPC' || code === undefined || code.startsWith('Unknown system error')
  return new SregistryError(
    isFull ? 'DISK_FULL' : 'NOT_WRITABLE',
    `cannot write the settings to ${path}: ${code ?? 'unknown failure'}`,
    { hint: 'make it writable, or set SREGISTRY_CLIENT_SECRETS to another file', cause: error },
  )
}
