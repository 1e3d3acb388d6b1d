/**
 * A packed layer: one file per layer with the compressed blocks of its files and an index of its tar
 * entries in their order. Our own cache format, versioned and checksummed, never an interchange
 * format. This file holds the records; packed-layer-writer.ts and packed-layer-reader.ts the bytes.
 */
import type { Digest } from '../registry/digest.ts'
import type { PackedEntries } from './packed-entries.ts'
import type { PackingParameters } from './packing-parameters.ts'

/** Where the bytes of a file lie in a packed layer. A tail lies in a fragment only when size < block size. */
export type PackedContent = {
  readonly sizeBytes: number
  /**
   * Identity of the content, a latin1 string: equal exactly when the bytes are, among layers packed with
   * the same block size. Below a block: sha256 of the bytes; else `B` and the sha256 of the blocks that
   * are no holes (file-packer.ts).
   */
  readonly identity: string
  /** Position of the first stored block in the packed layer's file; 0 when there are none. */
  readonly position: number
  /** squashfs size words: stored size, bit 24 = stored raw, 0 = hole. */
  readonly blocks: Uint32Array
  readonly fragment: { readonly index: number; readonly offset: number } | undefined
}

/** Sizes of one fragment block in a packed layer's file. */
export type PackedFragment = {
  readonly position: number
  /** Stored size, bit 24 = stored raw. */
  readonly sizeWord: number
  /** Bytes of tails in it, uncompressed. */
  readonly sizeBytes: number
}

type PackedMetadata = {
  /**
   * Path from the root as a latin1 string, one char per byte: no leading or trailing slash, no empty,
   * `.` or `..` components; empty for the root directory itself. Whiteouts keep their `.wh.` names.
   */
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Seconds, clamped to u32. */
  readonly mtime: number
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined
}

export type PackedEntry<Content extends PackedContent = PackedContent> =
  | (PackedMetadata & { readonly kind: 'directory' | 'fifo' })
  | (PackedMetadata & { readonly kind: 'file'; readonly content: Content })
  | (PackedMetadata & { readonly kind: 'symlink'; readonly target: string })
  /** target: path of the linked entry, normalised like `path`. */
  | (PackedMetadata & { readonly kind: 'hardlink'; readonly target: string })
  | (PackedMetadata & {
      readonly kind: 'char-device' | 'block-device'
      readonly major: number
      readonly minor: number
    })

/** The index of a packed layer. */
export type PackedLayer = {
  /** Path of its file. */
  readonly path: string
  readonly parameters: PackingParameters
  /** Name and version of what compressed its blocks: with equal ones, equal layers have equal bytes. */
  readonly library: string
  /** Digest of the blob as the registry stores it; undefined for layers made here. */
  readonly blobDigest: Digest | undefined
  /** sha256 of the uncompressed tar stream. */
  readonly diffId: Digest
  /** Bytes of the uncompressed tar stream. */
  readonly tarBytes: number
  readonly fragments: readonly PackedFragment[]
  /** In the order of the tar archive. */
  readonly entries: PackedEntries
}
