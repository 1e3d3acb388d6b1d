import type { Compression } from './compression.ts'
import { metadataRaw } from './format.ts'

/** The level that zstd images have when they do not say. */
const zstdDefaultLevel = 15

/**
 * The options block that follows the superblock: empty for gzip, whose options no kernel looks at,
 * and for zstd at its default level; else a raw metadata block with the level.
 * @see format.adoc "Compression Options"
 */
export function encodeCompressorOptions({ kind, level }: Compression): Uint8Array {
  if (kind !== 'zstd' || level === zstdDefaultLevel) return new Uint8Array(0)
  const block = Buffer.alloc(6)
  block.writeUInt16LE(metadataRaw | 4, 0)
  block.writeUInt32LE(level, 2)
  return block
}
