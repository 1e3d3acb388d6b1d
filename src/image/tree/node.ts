/**
 * The nodes of a root file system while layers are applied to it. They are squashfs inodes (see
 * squashfs/inode.ts) that also know which layer named them: whiteouts hide names of lower layers only.
 */
import type { FileContent, Inode, InodeMetadata } from '../../squashfs/inode.ts'
import type { IndexedContent } from '../packed-contents.ts'

/** A second name of an inode: hard links share the inode, not the layer that named it. */
export type LinkNode = { readonly kind: 'link'; readonly layer: number; readonly inode: InodeNode }

export type InodeNode = DirectoryNode | FileNode | LeafNode

/** What a directory holds under a name. */
export type NamedNode = InodeNode | LinkNode

/** A symlink, device or fifo. */
export type LeafNode = Exclude<Inode, { kind: 'directory' | 'file' }> & {
  readonly layer: number
  hasLinks: boolean
}

export class DirectoryNode implements InodeMetadata {
  readonly kind = 'directory'
  readonly names: Map<string, NamedNode> = new Map()
  mode: number
  uid: number
  gid: number
  mtime: number
  xattrs: ReadonlyMap<string, Uint8Array> | undefined
  layer: number
  hasLinks = false

  constructor(metadata: InodeMetadata, layer: number) {
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.layer = layer
  }

  /** Takes over an explicit directory entry: its metadata and xattrs replace all of the old ones. */
  describe(metadata: InodeMetadata, layer: number): void {
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.layer = layer
  }

  /** The inode under a name, whichever of its names that is. */
  inode(name: string): InodeNode | undefined {
    return inodeOf(this.names.get(name))
  }

  entryNames(): string[] {
    return [...this.names.keys()]
  }
}

export class FileNode implements InodeMetadata {
  readonly kind = 'file'
  mode: number
  uid: number
  gid: number
  mtime: number
  xattrs: ReadonlyMap<string, Uint8Array> | undefined
  readonly layer: number
  /** Where the bytes lie in the packed layer. */
  readonly packed: IndexedContent
  hasLinks = false

  constructor(metadata: InodeMetadata, layer: number, packed: IndexedContent) {
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.layer = layer
    this.packed = packed
  }

  /** Where the bytes lie in the image that was last laid out. */
  get content(): FileContent {
    return this.packed.placed
  }
}

export function inodeOf(node: NamedNode | undefined): InodeNode | undefined {
  return node?.kind === 'link' ? node.inode : node
}

/**
 * Every inode from a directory down, each name once: a hard-linked inode comes once per name. They come in
 * the order in which they were named, as most archives have them: what lies together is met together.
 */
export function* everyInode(root: DirectoryNode): Generator<InodeNode> {
  yield root
  const open = [root.names.values()]
  for (let names = open[0]; names !== undefined; names = open[open.length - 1]) {
    const next = names.next()
    if (next.done) {
      open.pop()
      continue
    }
    const node = next.value
    const inode = node.kind === 'link' ? node.inode : node
    if (inode.kind === 'directory') open.push(inode.names.values())
    yield inode
  }
}
