/** Removes what crashed runs left behind, and nothing that somebody may still be writing. */
import { lstat, open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { isOpenTemporary } from './atomic-file.ts'
import { ownerState, parseTemporaryName, temporaryName } from './temporary-name.ts'

/** Age after which the temporary file of an owner nobody can ask about counts as abandoned. */
const abandonedAfterMs = 24 * 60 * 60 * 1000

/**
 * Removes abandoned temporary files of a directory: those whose owner is dead on this machine, and
 * those of other machines that were not written for 24 hours by the file server's clock.
 * A directory that is missing or cannot be read or written has nothing to clean.
 * @returns the paths that were removed.
 */
export async function removeAbandonedFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((): string[] => [])
  const removed: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    if ((await isAbandoned(directory, name)) && (await removeQuietly(path))) removed.push(path)
  }
  return removed
}

async function isAbandoned(directory: string, name: string): Promise<boolean> {
  const owner = parseTemporaryName(name)
  if (owner === undefined || isOpenTemporary(join(directory, name))) return false
  const state = ownerState(owner)
  if (state !== 'unknown') return state === 'dead'
  const now = await fileServerTime(directory)
  const stats = await lstat(join(directory, name)).catch(() => undefined)
  return now !== undefined && stats !== undefined && now - stats.mtimeMs > abandonedAfterMs
}

/** The time by the clock that stamps files in this directory: two machines' clocks may differ. */
export async function fileServerTime(directory: string): Promise<number | undefined> {
  const path = join(directory, temporaryName())
  try {
    const handle = await open(path, 'wx', 0o600)
    try {
      return (await handle.stat()).mtimeMs
    } finally {
      await handle.close()
      await removeQuietly(path)
    }
  } catch {
    // a directory where nothing can be written: then nothing can be removed either
    return undefined
  }
}

async function removeQuietly(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch {
    // another cleaner was first, or NFS keeps it open: the next run looks again
    return false
  }
}
