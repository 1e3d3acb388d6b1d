import type { inodeType } from './format.ts'

export type InodeKind = keyof typeof inodeType

/** Metadata of every inode. Times are unsigned 32-bit seconds, mode is 12 bits. */
export type InodeMetadata = {
  mode: number
  uid: number
  gid: number
  mtime: number
  /** Full names (`user.x`, `trusted.x`, `security.x`) to values; undefined when there are none. */
  xattrs: ReadonlyMap<string, Uint8Array> | undefined
}

/** A fragment block that is already in the image (squashfs 4.0, fragment table). */
export type FragmentBlock = {
  readonly position: number
  /** Stored size, bit 24 set when stored raw. */
  readonly sizeWord: number
}
