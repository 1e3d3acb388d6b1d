/**
 * The entries of a packed layer as its index has them, in columns. As objects they would outlive several
 * garbage collections, which copy them each time: that took longer than all that is done with them.
 */
import type { PackedContent, PackedEntry } from './packed-layer.ts'
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
  readonly contents: ContentColumns
}

/** One value for each file, in their order. */
export type ContentColumns = {
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

/** The entries, made anew each time they are asked for. */
export class PackedEntries implements Iterable<PackedEntry> {
  readonly length: number
  readonly #columns: EntryColumns

  constructor(columns: EntryColumns) {
    this.length = columns.length
    this.#columns = columns
  }

  *[Symbol.iterator](): Generator<PackedEntry> {
    for (let index = 0; index < this.length; index += 1) yield this.#entry(index)
  }

  #entry(index: number): PackedEntry {
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

/** Most files have no blocks of their own. */
const noBlocks = new Uint32Array()

class IndexedContent implements PackedContent {
  readonly #columns: ContentColumns
  readonly #index: number

  constructor(columns: ContentColumns, index: number) {
    this.#columns = columns
    this.#index = index
  }

  get sizeBytes(): number {
    return this.#columns.sizes[this.#index] ?? 0
  }

  get identity(): string {
    const { text, identityStarts, identityLengths } = this.#columns
    return part(text, identityStarts[this.#index], identityLengths[this.#index])
  }

  get position(): number {
    return this.#columns.positions[this.#index] ?? 0
  }

  get blocks(): Uint32Array {
    const { blocks, blockStarts } = this.#columns
    const [start, end] = [blockStarts[this.#index], blockStarts[this.#index + 1]]
    return start === end ? noBlocks : blocks.subarray(start, end)
  }

  get fragment(): PackedContent['fragment'] {
    const { fragments, offsets } = this.#columns
    const index = fragments[this.#index] ?? -1
    return index < 0 ? undefined : { index, offset: offsets[this.#index] ?? 0 }
  }
}
