/**
 * The contents of a packed layer's files, in columns: where they lie in the layer, and, once an image is laid
 * out, where they lie in the image.
 */

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

export class PackedContents {
  readonly columns: ContentColumns
  readonly placement: Placement

  constructor(columns: ContentColumns) {
    this.columns = columns
    this.placement = new Placement(columns.length)
  }
}

/** One content by its number. */
export type ContentPlace = { readonly contents: PackedContents; readonly index: number }

/** Where contents lie in the image that is being laid out. */
export class Placement {
  /** Position of the first block. */
  readonly starts: Float64Array
  /** Number in the image's fragment table; -1 where the content is no tail. */
  readonly fragments: Int32Array
  readonly offsets: Uint32Array
  /** Equal contents that stand for others. */
  readonly homes: Map<number, ContentPlace> = new Map()

  constructor(length: number) {
    this.starts = new Float64Array(length)
    this.fragments = new Int32Array(length).fill(-1)
    this.offsets = new Uint32Array(length)
  }

  clear(): void {
    this.starts.fill(0)
    this.fragments.fill(-1)
    this.homes.clear()
  }
}
