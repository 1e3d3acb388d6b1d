import { metadataBlockBytes } from './format.ts'
import { type MetadataCompressor, StoredBlocks } from './stored-blocks.ts'

/** A table that is found through its index: the metadata blocks, and after them or elsewhere their positions. */
export type LookupTable = {
  readonly blocks: Uint8Array
  /** u64 position of each block. */
  readonly index: Uint8Array
}

/**
 * Encodes a table of fixed-size entries.
 * @param position Where the blocks will begin in the file.
 * @see format.adoc "Storing Lookup Tables"
 */
export function encodeLookupTable(
  entries: Uint8Array,
  position: number,
  compressor: MetadataCompressor,
): LookupTable {
  const blocks = new StoredBlocks(compressor)
  for (let at = 0; at < entries.length; at += metadataBlockBytes) {
    blocks.store(entries.subarray(at, at + metadataBlockBytes))
  }
  const index = Buffer.alloc(8 * blocks.starts.length)
  for (const [block, start] of blocks.starts.entries()) {
    index.writeBigUInt64LE(BigInt(position + start), 8 * block)
  }
  return { blocks: blocks.concat(), index }
}
