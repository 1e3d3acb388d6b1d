import { writeSync } from 'node:fs'
import type { OpenFile } from '../storage/thread-file.ts'

/** Writes all of the bytes at a position. */
export async function writeFully(
  output: OpenFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let written = 0
  while (written < bytes.length) {
    const { bytesWritten } = await output.write(
      bytes,
      written,
      bytes.length - written,
      position + written,
    )
    written += bytesWritten
  }
}

/** As `writeFully`, for threads that have nothing else to do. */
export function writeFullySync(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length; ) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written)
  }
}
