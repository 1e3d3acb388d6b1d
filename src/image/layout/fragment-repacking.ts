/**
 * Which fragment blocks are not worth copying whole, and how the tails still needed of them are put
 * together into new ones. Thresholds depend on sizes alone, so that the same layers always give the
 * same image.
 */
import type { PackedContents } from '../packed-contents.ts'
import type { PackedFragment, PackedLayer } from '../packed-layer.ts'

/** A fragment block of a layer, and the contents of the image that lie in it. */
export type FragmentUse = {
  readonly source: number
  readonly contents: PackedContents
  readonly index: number
  readonly block: PackedFragment
  /** Numbers of the contents. */
  readonly homes: number[]
  liveBytes: number
}

/** A tail's way from a fragment block of a layer to a new one. */
export type MovedTail = {
  readonly source: number
  /** Index of the fragment block in the layer. */
  readonly index: number
  readonly offset: number
  readonly sizeBytes: number
}

/** A fragment block to be made: its tails one after the other. */
export type RepackedFragment = { readonly tails: readonly MovedTail[] }

/**
 * Fragments that have lost a quarter of a block or more to shadowed or doubled files, and last
 * fragments of layers that are less than half full. One alone with nothing lost stays as it is.
 */
export function fragmentsToRepack(
  uses: readonly FragmentUse[],
  layers: readonly PackedLayer[],
  blockSize: number,
): FragmentUse[] {
  const chosen = uses.filter((use) => isWasteful(use, layers[use.source], blockSize))
  const lost = chosen.some((use) => lostBytes(use) > 0)
  return chosen.length > 1 || lost ? chosen : []
}

function isWasteful(use: FragmentUse, layer: PackedLayer | undefined, blockSize: number): boolean {
  const isLast = layer !== undefined && use.index === layer.fragments.length - 1
  return lostBytes(use) >= blockSize / 4 || (isLast && use.liveBytes < blockSize / 2)
}

function lostBytes(use: FragmentUse): number {
  return use.block.sizeBytes - use.liveBytes
}

/**
 * Packs the tails of fragments in their order into new blocks, and tells the files where they are.
 * @param firstIndex Index of the first new block in the fragment table.
 */
export function packTails(
  uses: readonly FragmentUse[],
  firstIndex: number,
  blockSize: number,
): RepackedFragment[] {
  const packed: { tails: MovedTail[]; sizeBytes: number }[] = []
  for (const { source, contents, homes } of uses) {
    const { columns, placement } = contents
    for (const home of homes) {
      const sizeBytes = columns.sizes[home] ?? 0
      let block = packed[packed.length - 1]
      if (block === undefined || block.sizeBytes + sizeBytes > blockSize) {
        block = { tails: [], sizeBytes: 0 }
        packed.push(block)
      }
      const index = columns.fragments[home] ?? 0
      const offset = columns.offsets[home] ?? 0
      block.tails.push({ source, index, offset, sizeBytes })
      placement.fragments[home] = firstIndex + packed.length - 1
      placement.offsets[home] = block.sizeBytes
      block.sizeBytes += sizeBytes
    }
  }
  return packed.map(({ tails }) => ({ tails }))
}
