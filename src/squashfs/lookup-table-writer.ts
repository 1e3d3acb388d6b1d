import { type MetadataCompressor, MetadataWriter } from './metadata-writer.ts'

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
  const out = new MetadataWriter(compressor)
  const at = out.claim(entries.length)
  out.bytes.set(entries, at)
  const blocks = out.finish()
  const index = Buffer.alloc(8 * out.blockStarts.length)
  for (const [block, start] of out.blockStarts.entries()) {
    index.writeBigUInt64LE(BigInt(position + start), 8 * block)
  }
  return { blocks, index }
}
