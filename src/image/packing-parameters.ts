import type { Compression } from '../squashfs/compression.ts'

/** What decides the bytes of a packed layer, beside the layer itself. */
export type PackingParameters = {
  readonly compression: Compression
  /** A power of two, 4096 to 1048576; 131072 by default. */
  readonly blockSize: number
}

export const defaultBlockSize = 131_072
