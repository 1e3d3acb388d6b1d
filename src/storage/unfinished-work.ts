/**
 * What this process has begun to write and neither finished nor removed: files and directories under
 * temporary names. Apart from the code that makes them, so that a command that writes nothing need not
 * load it to be able to clean up.
 */
import { rmSync, unlinkSync } from 'node:fs'

export const openTemporaries: Set<string> = new Set()
export const openDirectories: Set<string> = new Set()

/**
 * Removes every unfinished file of this process, at once: for signal handlers, which cannot wait.
 * Files that cannot be removed are left to `removeAbandonedFiles` of a later run.
 */
export function removeOpenTemporaries(): void {
  for (const path of openTemporaries) {
    try {
      unlinkSync(path)
    } catch {
      // the process is about to end; the name tells later runs that its owner is dead
    }
  }
  openTemporaries.clear()
}

/** Removes all directories that this process has open, at once: for signal handlers. */
export function removeOpenWork(): void {
  for (const path of openDirectories) {
    try {
      rmSync(path, { recursive: true, force: true })
    } catch {
      // the process ends now: a later run removes it
    }
  }
  openDirectories.clear()
}
