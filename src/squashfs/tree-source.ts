/**
 * The tree that becomes a squashfs image. Directories are records; all else are leaves, which are numbers, in
 * columns: as records, 60,000 of them take longer to make than to encode. Names and link targets are latin1
 * strings, one char per byte, so that any name survives.
 */
import type { FlatTree } from './flat-tree.ts'
import type { InodeMetadata } from './inode.ts'

export type TreeSource = {
  readonly directories: FlatTree
  readonly leaves: SourceLeaves
}

export type SourceDirectory = InodeMetadata & {
  /** In any order. A number is a leaf, whose name is the last component of its path. */
  readonly names: ReadonlyMap<string, SourceDirectory | number>
}

export type SourceLeaves = {
  /** Leaves are counted on from part to part. */
  readonly parts: readonly LeafColumns[]
  /** What the numbers in `LeafColumns.kinds` stand for (`InodeKind`); those of other names are no leaves. */
  readonly kinds: readonly string[]
  /** Hard links: leaves that are further names of others. */
  readonly links: ReadonlyMap<number, number>
}

/** One value for each leaf, but for the text. */
export type LeafColumns = {
  readonly length: number
  /** Paths and targets are places in it. */
  readonly text: string
  readonly kinds: Uint8Array
  readonly pathStarts: Uint32Array
  readonly pathLengths: Uint32Array
  readonly modes: Uint16Array
  readonly uids: Uint32Array
  readonly gids: Uint32Array
  readonly mtimes: Uint32Array
  /** Of the leaves that have any. */
  readonly xattrs: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>
  /** Where a target begins and how long it is; the numbers of a device; the number of a file's content. */
  readonly firsts: Uint32Array
  readonly seconds: Uint32Array
  readonly contents: SourceContents
}

/** Where the bytes of files are in the image that is being written. */
export type SourceContents = {
  /** One value for each file; they may be longer than `length`. */
  readonly columns: {
    readonly length: number
    readonly sizes: Float64Array
    /** Where the size words of a content begin in `blocks`; those of the next end them. */
    readonly blockStarts: Uint32Array
    /** Stored size, bit 24 set when stored raw, 0 for a hole. */
    readonly blocks: Uint32Array
  }
  readonly placement: {
    /** Position of the first data block. */
    readonly starts: Float64Array
    /** Number of the fragment block that the tail lies in; -1 where it lies in none. */
    readonly fragments: Int32Array
    readonly offsets: Uint32Array
    /** Contents whose bytes are those of others. */
    readonly homes: ReadonlyMap<
      number,
      { readonly contents: SourceContents; readonly index: number }
    >
  }
}
