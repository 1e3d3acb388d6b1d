/**
 * The tree that becomes a squashfs image: plain records, built by image/ from layers. The same record
 * under two names is a hard link. Names and link targets are latin1 strings, one char per byte, so
 * that any name survives and `<` compares bytes (squashfs wants byte order).
 */

/** Metadata of every inode. Times are unsigned 32-bit seconds, mode is 12 bits. */
export type InodeMetadata = {
  mode: number
  uid: number
  gid: number
  mtime: number
  /** Full names (`user.x`, `trusted.x`, `security.x`) to values; undefined when there are none. */
  xattrs: ReadonlyMap<string, Uint8Array> | undefined
}

export type DirectoryInode = InodeMetadata & {
  readonly kind: 'directory'
  /** In any order. */
  entryNames(): string[]
  inode(name: string): Inode | number | undefined
}

/** Where a file's bytes are in the image that is being written. */
export type FileContent = {
  readonly sizeBytes: number
  /** Position of the first data block; 0 when there are none. */
  readonly start: number
  /** Size words of the data blocks: stored size, bit 24 set when stored raw, 0 for a hole. */
  readonly blocks: ArrayLike<number>
  /** Where the tail lies, if it lies in a fragment block; then blocks.length = floor(size / block size). */
  readonly fragment: { readonly index: number; readonly offset: number } | undefined
}

export type FileInode = InodeMetadata & { readonly kind: 'file'; readonly content: FileContent }
export type SymlinkInode = InodeMetadata & { readonly kind: 'symlink'; readonly target: string }
export type DeviceInode = InodeMetadata & {
  readonly kind: 'char-device' | 'block-device'
  readonly major: number
  readonly minor: number
}
export type PipeInode = InodeMetadata & { readonly kind: 'fifo' | 'socket' }

export type LeafInode = FileInode | SymlinkInode | DeviceInode | PipeInode

export type Inode = DirectoryInode | LeafInode

/** Inodes that a tree holds as numbers: of many, only the one that is being written is there. */
export type NumberedLeaves = {
  /** Good until the next call. */
  inode(number: number): LeafInode
  /** Whether it may have more names than one. */
  hasLinks(number: number): boolean
}

/** A fragment block that is already in the image (squashfs 4.0, fragment table). */
export type FragmentBlock = {
  readonly position: number
  /** Stored size, bit 24 set when stored raw. */
  readonly sizeWord: number
}
