/** A root file system while layers are applied to it: directories, and in them the numbers of all else. */
import { type FlatTree, flattenTree } from '../../squashfs/flat-tree.ts'
import type { InodeMetadata } from '../../squashfs/inode.ts'
import type { SourceDirectory } from '../../squashfs/tree-source.ts'
import { Leaves } from './leaves.ts'

/** A tree whose directories and their entries are numbered: what is laid out, and what tables are encoded of. */
export type FlatImageTree = { readonly directories: FlatTree; readonly leaves: Leaves }

/** What a directory holds under a name: a number is a leaf (leaves.ts), a hard link too. */
export type NamedNode = DirectoryNode | number

/** A number is a leaf that is no hard link. */
export type InodeNode = DirectoryNode | number

export class ImageTree {
  readonly leaves: Leaves = new Leaves()
  readonly root: DirectoryNode

  /** @param implied Metadata of the root until an entry describes it. */
  constructor(implied: InodeMetadata) {
    this.root = new DirectoryNode(this.leaves, implied, -1)
  }

  /** As it is now, for laying out and for the tables. */
  flatten(): FlatImageTree {
    return { directories: flattenTree(this.root), leaves: this.leaves }
  }
}

export class DirectoryNode implements SourceDirectory {
  readonly names: Map<string, NamedNode> = new Map()
  readonly leaves: Leaves
  mode: number
  uid: number
  gid: number
  mtime: number
  xattrs: ReadonlyMap<string, Uint8Array> | undefined
  /** Position of the layer that named it or described it last: whiteouts hide names of lower layers only. */
  layer: number

  constructor(leaves: Leaves, metadata: InodeMetadata, layer: number) {
    this.leaves = leaves
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
    const node = this.names.get(name)
    return typeof node === 'number' ? this.leaves.inodeOf(node) : node
  }
}

/** The position of the layer that named it. */
export function layerOf(node: NamedNode, leaves: Leaves): number {
  return typeof node === 'number' ? leaves.layerOf(node) : node.layer
}

/** From a directory down, each directory before what is in it. */
export function directoriesFrom(top: DirectoryNode): DirectoryNode[] {
  const found: DirectoryNode[] = [top]
  for (let next = 0; next < found.length; next += 1) {
    for (const node of found[next]?.names.values() ?? []) {
      if (typeof node !== 'number') found.push(node)
    }
  }
  return found
}
