import type { RandomAccessSource } from '../../src/squashfs/random-access-source.ts'

/** Bytes in memory as a source. */
export function memorySource(bytes: Uint8Array): RandomAccessSource {
  return {
    read: async (position, length) => bytes.subarray(position, position + length),
  }
}
