/**
 * Trees as records, each inode an object, the same one under two names a hard link: easy to write down, and
 * made into what the encoder takes. Names and link targets are latin1 strings, one char per byte.
 */

import { flattenTree } from '../../src/squashfs/flat-tree.ts'
import type { InodeMetadata } from '../../src/squashfs/inode.ts'
import type {
  LeafColumns,
  SourceContents,
  SourceDirectory,
  TreeSource,
} from '../../src/squashfs/tree-source.ts'

export type DirectoryInode = InodeMetadata & {
  readonly kind: 'directory'
  readonly entries: readonly (readonly [string, Inode])[]
}

/** Where a file's bytes are in the image that is being written. */
export type FileContent = {
  readonly sizeBytes: number
  /** Position of the first data block; 0 when there are none. */
  readonly start: number
  readonly blocks: ArrayLike<number>
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

const kinds = ['file', 'symlink', 'char-device', 'block-device', 'fifo', 'socket', 'none']

export function sourceOf(root: DirectoryInode): TreeSource {
  const leaves = new LeafList()
  const made = new Map<DirectoryInode, SourceDirectory & { names: Map<string, unknown> }>()
  const recordOf = (directory: DirectoryInode) => {
    const { mode, uid, gid, mtime, xattrs } = directory
    const record = { mode, uid, gid, mtime, xattrs, names: new Map<string, never>() }
    made.set(directory, record)
    waiting.push(directory)
    return record
  }
  const waiting: DirectoryInode[] = []
  const source = recordOf(root)
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { names } = made.get(next) as { names: Map<string, unknown> }
    for (const [name, inode] of next.entries) {
      if (inode.kind === 'directory') names.set(name, made.get(inode) ?? recordOf(inode))
      else names.set(name, leaves.add(name, inode))
    }
  }
  return { directories: flattenTree(source), leaves: { kinds, ...leaves.finish() } }
}

/** Leaves in columns, one for each name. */
class LeafList {
  readonly #leaves: { readonly name: string; readonly inode: LeafInode }[] = []
  readonly #first = new Map<LeafInode, number>()
  readonly #links = new Map<number, number>()

  add(name: string, inode: LeafInode): number {
    const number = this.#leaves.push({ name, inode }) - 1
    const first = this.#first.get(inode)
    if (first === undefined) this.#first.set(inode, number)
    else this.#links.set(number, first)
    return number
  }

  finish(): { parts: readonly LeafColumns[]; links: ReadonlyMap<number, number> } {
    const leaves = this.#leaves
    const files = leaves.flatMap(({ inode }) => (inode.kind === 'file' ? [inode.content] : []))
    let text = ''
    const put = (part: string) => {
      text += part
      return text.length - part.length
    }
    let file = 0
    const firstOf = ({ inode }: (typeof leaves)[number]) => {
      if (inode.kind === 'file') return file++
      if (inode.kind === 'symlink') return put(inode.target)
      return 'major' in inode ? inode.major : 0
    }
    const secondOf = ({ inode }: (typeof leaves)[number]) => {
      if (inode.kind === 'symlink') return inode.target.length
      return 'minor' in inode ? inode.minor : 0
    }
    const part: LeafColumns = {
      length: leaves.length,
      kinds: Uint8Array.from(leaves, ({ inode }, number) =>
        kinds.indexOf(this.#links.has(number) ? 'none' : inode.kind),
      ),
      pathStarts: Uint32Array.from(leaves, ({ name }) => put(name)),
      pathLengths: Uint32Array.from(leaves, ({ name }) => name.length),
      modes: Uint16Array.from(leaves, ({ inode }) => inode.mode),
      uids: Uint32Array.from(leaves, ({ inode }) => inode.uid),
      gids: Uint32Array.from(leaves, ({ inode }) => inode.gid),
      mtimes: Uint32Array.from(leaves, ({ inode }) => inode.mtime),
      xattrs: new Map(
        leaves.flatMap(({ inode }, number) =>
          inode.xattrs === undefined ? [] : [[number, inode.xattrs] as const],
        ),
      ),
      firsts: Uint32Array.from(leaves, firstOf),
      seconds: Uint32Array.from(leaves, secondOf),
      contents: contentsOf(files),
      text: '',
    }
    return { parts: [{ ...part, text }], links: this.#links }
  }
}

function contentsOf(files: readonly FileContent[]): SourceContents {
  const blockStarts = [0]
  for (const { blocks } of files) blockStarts.push((blockStarts.at(-1) ?? 0) + blocks.length)
  return {
    columns: {
      length: files.length,
      sizes: Float64Array.from(files, ({ sizeBytes }) => sizeBytes),
      blockStarts: Uint32Array.from(blockStarts),
      blocks: Uint32Array.from(files.flatMap(({ blocks }) => Array.from(blocks))),
    },
    placement: {
      starts: Float64Array.from(files, ({ start }) => start),
      fragments: Int32Array.from(files, ({ fragment }) => fragment?.index ?? -1),
      offsets: Uint32Array.from(files, ({ fragment }) => fragment?.offset ?? 0),
      homes: new Map(),
    },
  }
}
