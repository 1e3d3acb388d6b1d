/**
 * The entries of a packed layer as its index has them, in columns. As objects they would outlive several
 * garbage collections, which copy them each time: that took longer than all that is done with them.
 */
import type { InodeMetadata } from '../squashfs/inode.ts'
import type { LeafColumns } from '../squashfs/tree-source.ts'
import type { PackedContents } from './packed-contents.ts'
import type { PackedEntry } from './packed-layer.ts'
import { entryKinds } from './packed-layer-format.ts'

/**
 * One value for each entry, but for those of `contents`. Kinds are positions in `entryKinds`; the text is the whole
 * index, identities too are places in it.
 */
export type EntryColumns = Omit<LeafColumns, 'contents'> & { readonly contents: PackedContents }

const slashCode = 0x2f

/** The entries by their numbers, which are their places in the archive. */
export class PackedEntries {
  readonly length: number
  readonly contents: PackedContents
  readonly columns: EntryColumns

  constructor(columns: EntryColumns) {
    this.contents = columns.contents
    this.length = columns.length
    this.columns = columns
  }

  kindOf(index: number): PackedEntry['kind'] {
    return entryKinds[this.columns.kinds[index] ?? 0] ?? 'file'
  }

  pathOf(index: number): string {
    const { text, pathStarts, pathLengths } = this.columns
    return part(text, pathStarts[index], pathLengths[index])
  }

  /** The name of an entry that lies right in a directory, which is not the root; undefined elsewhere. */
  nameWithin(directory: string, index: number): string | undefined {
    const { text, pathStarts, pathLengths } = this.columns
    const start = pathStarts[index] ?? 0
    const end = start + (pathLengths[index] ?? 0)
    const nameStart = start + directory.length + 1
    if (nameStart >= end || text.charCodeAt(nameStart - 1) !== slashCode) return undefined
    if (!text.startsWith(directory, start)) return undefined
    const slash = text.indexOf('/', nameStart)
    return slash >= 0 && slash < end ? undefined : text.slice(nameStart, end)
  }

  /** A new record. */
  metadataOf(index: number): InodeMetadata {
    const { modes, uids, gids, mtimes, xattrs } = this.columns
    return {
      mode: modes[index] ?? 0,
      uid: uids[index] ?? 0,
      gid: gids[index] ?? 0,
      mtime: mtimes[index] ?? 0,
      xattrs: xattrs.get(index),
    }
  }

  /** Of a symlink or a hard link. */
  targetOf(index: number): string {
    const { text, firsts, seconds } = this.columns
    return part(text, firsts[index], seconds[index])
  }

  deviceOf(index: number): { readonly major: number; readonly minor: number } {
    const { firsts, seconds } = this.columns
    return { major: firsts[index] ?? 0, minor: seconds[index] ?? 0 }
  }
}

function part(text: string, start = 0, length = 0): string {
  return text.slice(start, start + length)
}
