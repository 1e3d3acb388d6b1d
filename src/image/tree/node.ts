/**
 * The nodes of a root file system while layers are applied to it. They are squashfs inodes (see
 * squashfs/inode.ts) that also know which layer named them: whiteouts hide names of lower layers only.
 */
import type { FileContent, Inode, InodeMetadata } from '../../squashfs/inode.ts'
import type { PackedContent } from '../packed-layer.ts'

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

  get children(): readonly (readonly [string, Inode])[] {
    const children: (readonly [string, Inode])[] = []
    for (const [name, node] of this.names) {
      children.push([name, node.kind === 'link' ? node.inode : node])
    }
    return children
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
  readonly packed: PackedContent
  /** Index of the layer whose packed file holds the bytes. */
  readonly source: number
  /** Where the bytes lie in the image; set when the image is laid out. */
  content: FileContent
  hasLinks = false

  constructor(metadata: InodeMetadata, layer: number, packed: PackedContent) {
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.layer = layer
    this.source = layer
    this.packed = packed
    this.content = emptyContent
  }
}

const emptyContent: FileContent = { sizeBytes: 0, start: 0, blocks: [], fragment: undefined }

export function inodeOf(node: NamedNode | undefined): InodeNode | undefined {
  return node?.kind === 'link' ? node.inode : node
}

/** Every inode below a directory, each name once: a hard-linked inode comes once per name. */
export function* everyInode(root: DirectoryNode): Generator<InodeNode> {
  const pending: DirectoryNode[] = [root]
  for (let directory = pending.pop(); directory !== undefined; directory = pending.pop()) {
    yield directory
    for (const node of directory.names.values()) {
      const inode = node.kind === 'link' ? node.inode : node
      if (inode.kind === 'directory') pending.push(inode)
      else yield inode
    }
  }
}
