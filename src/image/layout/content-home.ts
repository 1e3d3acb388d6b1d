/**
 * Equal contents are stored once: every file gets the home of its content, the first place that has
 * it, lowest layer first, then by position.
 */
import type { PackedContent } from '../packed-layer.ts'
import { type DirectoryNode, everyInode, type FileNode } from '../tree/node.ts'

/** One content of the image and where it is taken from. */
export type ContentHome = {
  /** Index of the packed layer that holds it. */
  source: number
  packed: PackedContent
  readonly files: FileNode[]
}

/** The homes of all contents that are not empty, and whether any is shared by several inodes. */
export function findContentHomes(root: DirectoryNode): ContentHome[] {
  const homes = new Map<string, ContentHome>()
  const seen = new Set<FileNode>()
  for (const inode of everyInode(root)) {
    if (inode.kind !== 'file' || inode.packed.sizeBytes === 0) continue
    if (inode.hasLinks) {
      if (seen.has(inode)) continue
      seen.add(inode)
    }
    const { source, packed } = inode
    const home = homes.get(packed.identity)
    if (home === undefined) homes.set(packed.identity, { source, packed, files: [inode] })
    else addFile(home, inode)
  }
  return [...homes.values()].sort(order)
}

function addFile(home: ContentHome, file: FileNode): void {
  home.files.push(file)
  if (order(file, home) < 0) {
    home.source = file.source
    home.packed = file.packed
  }
}

type Place = { readonly source: number; readonly packed: PackedContent }

/** Order of the packed bytes: by layer, files with blocks of their own before tails, then by position. */
function order(a: Place, b: Place): number {
  const tailA = a.packed.fragment
  const tailB = b.packed.fragment
  return (
    a.source - b.source ||
    a.packed.position - b.packed.position ||
    (tailA?.index ?? -1) - (tailB?.index ?? -1) ||
    (tailA?.offset ?? -1) - (tailB?.offset ?? -1)
  )
}
