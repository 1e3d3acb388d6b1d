import { openInThread } from './thread-file.ts'

/**
 * Sends what was written into a file to the disk while more is being written, so that the fsync before its
 * rename finds little left to do. Linux tells a failure to write once through each opening of a file: here it
 * is one of its own, so that the failure is told again, and counts, at that fsync. Where the file cannot be
 * opened once more, all is left to it.
 */
export async function sendToDisk(descriptor: number): Promise<void> {
  try {
    const opened = await openInThread(`/proc/self/fd/${descriptor}`, 'r')
    await opened.datasync().finally(() => opened.close())
  } catch {
    // told at the fsync
  }
}
