/**
 * Where things lie in the instance's memory, in bytes. Static data (tables declared by memory.data) lies
 * below; these follow it one after the other when an instance begins.
 */

/** What a match can reach back to (RFC 1951 § 2). */
export const windowBytes: usize = 32768
/** Output of one call beyond this would not be looked at before it is overwritten. */
export const outputBytes: usize = 262144
/** A match may reach beyond the bound, and is copied in words. */
export const outputSlackBytes: usize = 512
export const inputBytes: usize = 131072
/** The decoder looks at no input symbol by symbol: it wants this much, or zeros after the last byte. */
export const inputSlackBytes: usize = 512
/** Every match is 3 bytes or longer, so no output has more sequences than a third of its bytes. */
const bytesOfSequences = (bytes: usize): usize =>
  ((bytes + outputSlackBytes) / 3 + bytes / 255 + 64) * 4

let nextFree: usize = 0

function reserve(bytes: usize): usize {
  const start = nextFree
  nextFree = (start + bytes + 63) & ~(<usize>63)
  return start
}

export let input: usize = 0
export let output: usize = 0
export let outputSequences: usize = 0
/** Builders of blocks: 0 for large files, 1 for small ones, whose last may reach beyond the block. */
export let builderBytes0: usize = 0
export let builderSequences0: usize = 0
export let builderExtents0: usize = 0
export let builderBytes1: usize = 0
export let builderSequences1: usize = 0
export let builderExtents1: usize = 0
/** The sequences of the block that is being encoded, and its stored form. */
export let chosenSequences: usize = 0
export let stored: usize = 0
/** Chains of positions with one hash. */
export let chainHeads: usize = 0
export let chainLinks: usize = 0

export const hashBits: u32 = 16
/** Bounds what a file costs; matches into files beyond are looked for anew. */
export const maxExtents: u32 = 8192

/** Lays everything out for blocks of this size and takes as much memory as that needs. */
export function layOutMemory(blockBytes: usize): void {
  nextFree = (__heap_base + 63) & ~(<usize>63)
  input = reserve(inputBytes + inputSlackBytes)
  output = reserve(windowBytes + outputBytes + outputSlackBytes)
  outputSequences = reserve(bytesOfSequences(outputBytes))
  builderBytes0 = reserve(blockBytes + outputSlackBytes)
  builderSequences0 = reserve(bytesOfSequences(blockBytes))
  builderExtents0 = reserve(8 * maxExtents)
  builderBytes1 = reserve(2 * blockBytes + outputSlackBytes)
  builderSequences1 = reserve(bytesOfSequences(2 * blockBytes))
  builderExtents1 = reserve(8 * maxExtents)
  chosenSequences = reserve(bytesOfSequences(blockBytes))
  stored = reserve(2 * blockBytes + 4096)
  chainHeads = reserve(4 << hashBits)
  chainLinks = reserve(4 * blockBytes)
  const pages = <i32>((nextFree + 65535) >> 16)
  const missing = pages - memory.size()
  if (missing > 0 && memory.grow(missing) < 0) unreachable()
}
