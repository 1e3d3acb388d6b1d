/**
 * Directories for the work of one command. Like unfinished files they carry their owner's mark in the
 * name, so that what a killed process left behind is removed by a later run (FAULTS § 4.6).
 */
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileServerTime } from './abandoned-files.ts'
import { type DiskPlace, diskError } from './disk-error.ts'
import { makePrivateDirectory } from './private-directory.ts'
import { ownerState, parseTemporaryName, temporaryName } from './temporary-name.ts'
import { openDirectories } from './unfinished-work.ts'

/** Age after which the work of an owner nobody can ask about counts as abandoned. */
const abandonedAfterMs = 24 * 60 * 60 * 1000

/**
 * Runs work with an empty directory that only this user may enter, and removes it afterwards. The
 * parent is made if need be, and what crashed runs left in it goes first.
 * @throws {SregistryError} NOT_WRITABLE, DISK_FULL, STORAGE; what the work throws.
 */
export async function withWork<Result>(
  parent: string,
  place: DiskPlace,
  work: (directory: string) => Promise<Result>,
): Promise<Result> {
  await makePrivateDirectory(parent, place)
  await removeAbandonedWork(parent)
  const directory = await makeWorkDirectory(parent, place)
  try {
    return await work(directory)
  } finally {
    await removeWorkDirectory(directory)
  }
}

async function makeWorkDirectory(parent: string, place: DiskPlace): Promise<string> {
  const path = join(parent, temporaryName())
  openDirectories.add(path)
  try {
    await mkdir(path, { mode: 0o700 })
    return path
  } catch (error) {
    openDirectories.delete(path)
    throw diskError(error, path, place)
  }
}

async function removeWorkDirectory(path: string): Promise<void> {
  // what cannot be removed now is left to `removeAbandonedWork` of a later run
  await rm(path, { recursive: true, force: true }).catch(() => undefined)
  openDirectories.delete(path)
}

/** Removes the work directories of dead processes, and of unknown ones when they are a day old. */
export async function removeAbandonedWork(parent: string): Promise<readonly string[]> {
  const names = await readdir(parent).catch((): string[] => [])
  const removed: string[] = []
  for (const name of names) {
    const path = join(parent, name)
    if (openDirectories.has(path) || !(await isAbandoned(parent, name))) continue
    // another cleaner may be at it: then it is gone all the same
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
    removed.push(path)
  }
  return removed
}

async function isAbandoned(parent: string, name: string): Promise<boolean> {
  const owner = parseTemporaryName(name)
  if (owner === undefined) return false
  const stats = await lstat(join(parent, name)).catch(() => undefined)
  if (stats?.isDirectory() !== true) return false
  const state = ownerState(owner)
  if (state !== 'unknown') return state === 'dead'
  const now = await fileServerTime(parent)
  return now !== undefined && now - stats.mtimeMs > abandonedAfterMs
}
