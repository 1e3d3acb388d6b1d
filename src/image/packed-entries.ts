/**
 * The entries of a packed layer as its index has them, in columns. As objects they would outlive several
 * garbage collections, which copy them each time: that took longer than all that is done with them.
 */
import { IndexedContent, type PackedContents } from './packed-contents.ts'
import type { PackedEntry } from './packed-layer.ts'
import { entryKinds } from './packed-layer-format.ts'

/** One value for each entry, but for those of `contents`. */
export type EntryColumns = {
  readonly length: number
  /** The whole index, one char per byte; paths, targets and identities are places in it. */
  readonly text: string
  /** Positions in `entryKinds`. */
  readonly kinds: Uint8Array
  readonly pathStarts: Uint32Array
  readonly pathLengths: Uint32Array
  readonly modes: Uint16Array
  readonly uids: Uint32Array
  readonly gids: Uint32Array
  readonly mtimes: Uint32Array
  /** Of the entries that have any. */
  readonly xattrs: ReadonlyMap<number, ReadonlyMap<string, Uint8Array>>
  /** Where a target begins and how long it is; the numbers of a device; the number of a file's content. */
  readonly firsts: Uint32Array
  readonly seconds: Uint32Array
  readonly contents: PackedContents
}

export type IndexedEntry = PackedEntry<IndexedContent>

/** The entries, made anew each time they are asked for. */
export class PackedEntries implements Iterable<IndexedEntry> {
  readonly length: number
  readonly contents: PackedContents
  readonly #columns: EntryColumns

  constructor(columns: EntryColumns) {
    this.contents = columns.contents
    this.length = columns.length
    this.#columns = columns
  }

  *[Symbol.iterator](): Generator<IndexedEntry> {
    for (let index = 0; index < this.length; index += 1) yield this.#entry(index)
  }

  #entry(index: number): IndexedEntry {
    const { text, kinds, pathStarts, pathLengths, modes, uids, gids, mtimes } = this.#columns
    const { firsts, seconds, contents } = this.#columns
    const kind = entryKinds[kinds[index] ?? 0] ?? 'file'
    const path = part(text, pathStarts[index], pathLengths[index])
    const mode = modes[index] ?? 0
    const uid = uids[index] ?? 0
    const gid = gids[index] ?? 0
    const mtime = mtimes[index] ?? 0
    const xattrs = this.#columns.xattrs.get(index)
    const [first, second] = [firsts[index] ?? 0, seconds[index] ?? 0]
    switch (kind) {
      case 'file': {
        const content = new IndexedContent(contents, first)
        return { kind, path, mode, uid, gid, mtime, xattrs, content }
      }
      case 'symlink':
      case 'hardlink': {
        const target = part(text, first, second)
        return { kind, path, mode, uid, gid, mtime, xattrs, target }
      }
      case 'char-device':
      case 'block-device':
        return { kind, path, mode, uid, gid, mtime, xattrs, major: first, minor: second }
      default:
        return { kind, path, mode, uid, gid, mtime, xattrs }
    }
  }
}

function part(text: string, start = 0, length = 0): string {
  return text.slice(start, start + length)
}
