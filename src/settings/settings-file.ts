/**
 * `~/.sregistry` on the disk: read whole or not at all, written atomically with mode 0600. Synchronous,
 * as it is read before anything else happens.
 */

import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  lstatSync,
  openSync,
  readFileSync,
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
import { isSecretName } from './setting-table.ts'

export type UpdateOptions = {
  /** A lock that stood unchanged for this long, by our own clock, belongs to nobody; 5 s by default. */
  readonly staleLockMs?: number
}

const maxBytes = 1024 * 1024
const defaultStaleLockMs = 5_000
const lockPollMs = 20

/**
 * The settings in a file; {} when there is none.
 * @throws {SregistryError} SETTING_INVALID when it cannot be read, is larger than 1 MiB or no JSON
 *   object. Neither message nor cause quote it: it may hold secrets.
 */
export function readSettingsFile(path: string): SettingsDocument {
  const text = readText(path)
  if (text === undefined || text.trim() === '') return {}
  const document = parseObject(text)
  if (document !== undefined) return document
  throw new SregistryError('SETTING_INVALID', `${path} is not a JSON object of settings`, {
    hint: 'mend it or move it away; `sregistry backend add` writes a new one',
  })
}

/** A sentence for the user when others can read a file with secrets in it. */
export function settingsFileWarning(path: string, document: SettingsDocument): string | undefined {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined || (stats.mode & 0o077) === 0 || !holdsSecrets(document)) return undefined
  return `${path} holds secrets and others can read it: chmod 600 ${path}`
}

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
      if (codeOf(error) !== 'EEXIST') throw writeError(lock, error)
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

function readText(path: string): string | undefined {
  try {
    if (statSync(path).size > maxBytes) throw new Error('larger than 1 MiB')
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    const reason = codeOf(error) ?? (error instanceof Error ? error.message : 'unknown failure')
    throw new SregistryError('SETTING_INVALID', `cannot read the settings in ${path}: ${reason}`, {
      hint: `make ${path} a file that you can read, or set SREGISTRY_CLIENT_SECRETS`,
    })
  }
}

function parseObject(text: string): SettingsDocument | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as SettingsDocument) : undefined
  } catch {
    // the parser's message quotes the text, secrets included: it goes no further
    return undefined
  }
}

function holdsSecrets(document: SettingsDocument): boolean {
  return Object.entries(document).some(([name, value]) =>
    typeof value === 'object' && value !== null
      ? holdsSecrets(value as SettingsDocument)
      : typeof value === 'string' && value !== '' && isSecretName(name),
  )
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
  const code = codeOf(error)
  const isFull = code === 'ENOSPC' || code === undefined || code.startsWith('Unknown system error')
  return new SregistryError(
    isFull ? 'DISK_FULL' : 'NOT_WRITABLE',
    `cannot write the settings to ${path}: ${code ?? 'unknown failure'}`,
    { hint: 'make it writable, or set SREGISTRY_CLIENT_SECRETS to another file', cause: error },
  )
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
