/**
 * Where everything goes in the image: stored blocks are copied as they are, in the order of their
 * layers; whole fragment blocks too, unless so little of one is still needed that its tails are better
 * packed anew. Pure: it reads the index of the layers and writes nothing.
 */
import { blockSizeMask } from '../../squashfs/format.ts'
import type { FragmentBlock } from '../../squashfs/inode.ts'
import type { ContentColumns } from '../packed-contents.ts'
import type { PackedLayer } from '../packed-layer.ts'
import type { FlatImageTree } from '../tree/node.ts'
import { findContentHomes } from './content-homes.ts'
import {
  type FragmentUse,
  fragmentsToRepack,
  packTails,
  type RepackedFragment,
} from './fragment-repacking.ts'

/** A range of a packed layer's file that is copied as it is. */
export type CopiedRange = {
  readonly source: number
  readonly position: number
  sizeBytes: number
  /** Position in the squashfs image. */
  readonly target: number
}

export function rangesBytes(ranges: readonly CopiedRange[]): number {
  return ranges.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
}

export type ImageLayout = {
  readonly ranges: readonly CopiedRange[]
  /** Fragment blocks that are copied; those packed anew follow them in the fragment table. */
  readonly fragments: readonly FragmentBlock[]
  readonly repacked: readonly RepackedFragment[]
  /** End of the copied ranges: where the repacked fragments begin. */
  readonly copiedEnd: number
}

export type LayoutOptions = {
  /** Position of the first data byte in the image (96 without compressor options). */
  readonly dataStart: number
  readonly blockSize: number
}

/**
 * Lays out the contents of a tree and tells its files where they will be.
 * @throws {SregistryError} LIMIT_EXCEEDED where there is not enough memory.
 */
export function layOutImage(
  tree: FlatImageTree,
  layers: readonly PackedLayer[],
  options: LayoutOptions,
): ImageLayout {
  const contents = layers.map(({ entries }) => entries.contents)
  const homes = findContentHomes(tree)
  const uses = layers.flatMap((layer, source) =>
    fragmentUses(layer, source, homes[source] ?? noHomes),
  )
  const repack = new Set(fragmentsToRepack(uses, layers, options.blockSize))
  const copier = new RangeCopier(options.dataStart)
  const copied = new FragmentCopier(
    uses.filter((use) => !repack.has(use)),
    copier,
  )
  for (const [source, { columns, placement }] of contents.entries()) {
    for (const home of homes[source] ?? noHomes) {
      // holes have size words and no stored bytes
      const storedBytes = storedBytesOf(columns, home)
      if (storedBytes === 0) continue
      const position = columns.positions[home] ?? 0
      copied.copyBefore(source, position)
      placement.starts[home] = copier.copy(source, position, storedBytes)
    }
  }
  copied.copyBefore(Number.POSITIVE_INFINITY, 0)
  const { fragments } = copied
  const repacked = packTails([...repack], fragments.length, options.blockSize)
  return { ranges: copier.ranges, fragments, repacked, copiedEnd: copier.end }
}

const noHomes = new Uint32Array()

/** The stored size within a squashfs size word. */
export function storedSize(sizeWord: number): number {
  return sizeWord & blockSizeMask
}

/** Tails come in the order of their places, so those in one fragment come together. */
function fragmentUses(
  { entries, fragments }: PackedLayer,
  source: number,
  homes: Uint32Array,
): FragmentUse[] {
  const { contents } = entries
  const { columns } = contents
  const uses: FragmentUse[] = []
  let use: FragmentUse | undefined
  for (const home of homes) {
    const index = columns.fragments[home] ?? -1
    if (index < 0) continue
    if (use?.index !== index) {
      const block = fragments[index]
      if (block === undefined) throw new RangeError(`layer ${source} has no fragment ${index}`)
      use = { source, contents, index, block, homes: [], liveBytes: 0 }
      uses.push(use)
    }
    use.homes.push(home)
    use.liveBytes += columns.sizes[home] ?? 0
  }
  return uses
}

function storedBytesOf({ blocks, blockStarts }: ContentColumns, home: number): number {
  let sum = 0
  const end = blockStarts[home + 1] ?? 0
  for (let index = blockStarts[home] ?? 0; index < end; index += 1) {
    sum += storedSize(blocks[index] ?? 0)
  }
  return sum
}

/** Gives ranges their place one after the other and joins those that touch in the source. */
class RangeCopier {
  readonly ranges: CopiedRange[] = []
  end: number

  constructor(start: number) {
    this.end = start
  }

  copy(source: number, position: number, sizeBytes: number): number {
    const last = this.ranges[this.ranges.length - 1]
    const target = this.end
    if (
      last !== undefined &&
      last.source === source &&
      last.position + last.sizeBytes === position
    ) {
      last.sizeBytes += sizeBytes
    } else {
      this.ranges.push({ source, position, sizeBytes, target })
    }
    this.end += sizeBytes
    return target
  }
}

/** Copies fragment blocks whole, each in its turn among the files that lie about it. */
class FragmentCopier {
  readonly fragments: FragmentBlock[] = []
  readonly #uses: readonly FragmentUse[]
  readonly #copier: RangeCopier
  #next = 0

  constructor(uses: FragmentUse[], copier: RangeCopier) {
    this.#uses = uses.sort((a, b) => a.source - b.source || a.block.position - b.block.position)
    this.#copier = copier
  }

  /** Copies what lies before a place in the layers. */
  copyBefore(source: number, position: number): void {
    for (let use = this.#uses[this.#next]; use !== undefined; use = this.#uses[++this.#next]) {
      const { block } = use
      if (use.source > source || (use.source === source && block.position > position)) return
      const target = this.#copier.copy(use.source, block.position, storedSize(block.sizeWord))
      const index = this.fragments.push({ position: target, sizeWord: block.sizeWord }) - 1
      const { columns, placement } = use.contents
      for (const home of use.homes) {
        placement.fragments[home] = index
        placement.offsets[home] = columns.offsets[home] ?? 0
      }
    }
  }
}
