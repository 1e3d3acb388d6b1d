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

/** What directories are that no entry describes. */
const implied: InodeMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0, xattrs: undefined }

export class ImageTree {
  readonly leaves: Leaves = new Leaves()
  readonly root: DirectoryNode

  constructor() {
    this.root = new DirectoryNode(this.leaves, undefined, -1)
  }

  /**
   * As it is now, for laying out and for the tables.
   * @param impliedSeconds The time of directories that no entry describes: seconds since 1970.
   */
  flatten(impliedSeconds: number): FlatImageTree {
    for (const directory of directoriesFrom(this.root)) {
      if (directory.isImplied) directory.mtime = impliedSeconds
    }
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
  /** Whether no entry describes it: its time is that of the image, which may not be known yet. */
  isImplied: boolean
  /** Position of the layer that named it or described it last: whiteouts hide names of lower layers only. */
  layer: number

  /** @param described Undefined when it is only implied. */
  constructor(leaves: Leaves, described: InodeMetadata | undefined, layer: number) {
    const metadata = described ?? implied
    this.leaves = leaves
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.isImplied = described === undefined
    this.layer = layer
  }

  /**
   * Takes over an explicit directory entry: its metadata and xattrs replace all of the old ones.
   * @param described Undefined when it is only implied from now on.
   */
  describe(described: InodeMetadata | undefined, layer: number): void {
    const metadata = described ?? implied
    this.mode = metadata.mode
    this.uid = metadata.uid
    this.gid = metadata.gid
    this.mtime = metadata.mtime
    this.xattrs = metadata.xattrs
    this.isImplied = described === undefined
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
