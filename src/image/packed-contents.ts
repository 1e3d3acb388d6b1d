/**
 * The contents of a packed layer's files, in columns: where they lie in the layer, and, once an image is laid
 * out, where they lie in the image.
 */
import type { FileContent } from '../squashfs/inode.ts'
import type { PackedContent } from './packed-layer.ts'

/** One value for each file, in the order of the entries. */
export type ContentColumns = {
  readonly length: number
  /** The whole index, one char per byte; identities are places in it. */
  readonly text: string
  readonly sizes: Float64Array
  readonly identityStarts: Uint32Array
  readonly identityLengths: Uint32Array
  readonly positions: Float64Array
  /** -1 where the content has blocks of its own. */
  readonly fragments: Int32Array
  readonly offsets: Uint32Array
  /** Where the size words of a content begin in `blocks`; those of the next end them. */
  readonly blockStarts: Uint32Array
  readonly blocks: Uint32Array
}

/** Most files have no blocks of their own. */
const noBlocks = new Uint32Array()

export class PackedContents {
  readonly columns: ContentColumns
  readonly placement: Placement

  constructor(columns: ContentColumns) {
    this.columns = columns
    this.placement = new Placement(columns.length)
  }

  identityOf(index: number): string {
    const { text, identityStarts, identityLengths } = this.columns
    const start = identityStarts[index] ?? 0
    return text.slice(start, start + (identityLengths[index] ?? 0))
  }

  blocksOf(index: number): Uint32Array {
    const { blocks, blockStarts } = this.columns
    const [start, end] = [blockStarts[index], blockStarts[index + 1]]
    return start === end ? noBlocks : blocks.subarray(start, end)
  }

  /** Order of the packed bytes: tails before contents with blocks of their own. */
  compare(a: number, b: number): number {
    const { positions, fragments, offsets } = this.columns
    return (
      (positions[a] ?? 0) - (positions[b] ?? 0) ||
      (fragments[a] ?? 0) - (fragments[b] ?? 0) ||
      (offsets[a] ?? 0) - (offsets[b] ?? 0)
    )
  }
}

/** Where contents lie in the image that is being laid out. */
export class Placement {
  /** 1 where a file of the image has the content. */
  readonly live: Uint8Array
  /** Position of the first block. */
  readonly starts: Float64Array
  /** Number in the image's fragment table; -1 where the content is no tail. */
  readonly fragments: Int32Array
  readonly offsets: Uint32Array
  /** Equal contents that stand for others. */
  readonly homes: Map<number, IndexedContent> = new Map()

  constructor(length: number) {
    this.live = new Uint8Array(length)
    this.starts = new Float64Array(length)
    this.fragments = new Int32Array(length).fill(-1)
    this.offsets = new Uint32Array(length)
  }

  clear(): void {
    this.live.fill(0)
    this.starts.fill(0)
    this.fragments.fill(-1)
    this.homes.clear()
  }
}

/** One content by its number. */
export class IndexedContent implements PackedContent {
  readonly contents: PackedContents
  readonly index: number

  constructor(contents: PackedContents, index: number) {
    this.contents = contents
    this.index = index
  }

  get sizeBytes(): number {
    return this.contents.columns.sizes[this.index] ?? 0
  }

  get identity(): string {
    return this.contents.identityOf(this.index)
  }

  get position(): number {
    return this.contents.columns.positions[this.index] ?? 0
  }

  get blocks(): Uint32Array {
    return this.contents.blocksOf(this.index)
  }

  get fragment(): PackedContent['fragment'] {
    const { fragments, offsets } = this.contents.columns
    const index = fragments[this.index] ?? -1
    return index < 0 ? undefined : { index, offset: offsets[this.index] ?? 0 }
  }

  /** Where it lies in the image that was last laid out. */
  get placed(): FileContent {
    const home = this.contents.placement.homes.get(this.index)
    if (home !== undefined) return home.placed
    const { starts, fragments, offsets } = this.contents.placement
    const fragment = fragments[this.index] ?? -1
    return {
      sizeBytes: this.sizeBytes,
      start: starts[this.index] ?? 0,
      blocks: this.blocks,
      fragment: fragment < 0 ? undefined : { index: fragment, offset: offsets[this.index] ?? 0 },
    }
  }
}
