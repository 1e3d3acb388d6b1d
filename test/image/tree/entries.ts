/** Entries of packed layers, written short: `dir/` a directory, `a -> b` a symlink, `a => b` a hard link. */
import type { PackedEntry } from '../../../src/image/packed-layer.ts'
import { LayerApplier } from '../../../src/image/tree/apply-layer.ts'
import type { Leaves } from '../../../src/image/tree/leaves.ts'
import { DirectoryNode, ImageTree, type InodeNode } from '../../../src/image/tree/node.ts'
import { packedEntries } from '../indexed-contents.ts'

export type EntryText = string | PackedEntry

/** Each content that a test names, by a size of its own. */
const contents: string[] = []

/** A file's content is its identity: `name=content`, by default the name. */
export function entry(text: EntryText): PackedEntry {
  if (typeof text !== 'string') return text
  const metadata = { mode: 0o644, uid: 1, gid: 2, mtime: 3, xattrs: undefined }
  if (text.endsWith('/')) {
    return { ...metadata, mode: 0o750, kind: 'directory', path: text.slice(0, -1) }
  }
  const [path = '', arrow, target = ''] = text.split(' ')
  if (arrow === '->') return { ...metadata, mode: 0o777, kind: 'symlink', path, target }
  if (arrow === '=>') return { ...metadata, kind: 'hardlink', path, target }
  const [name = '', identity = name] = text.split('=')
  const sizeBytes = sizeFor(identity)
  const content = {
    sizeBytes,
    identity,
    position: 0,
    blocks: new Uint32Array(),
    fragment: undefined,
  }
  return { ...metadata, kind: 'file', path: name, content }
}

function sizeFor(identity: string): number {
  const known = contents.indexOf(identity)
  return known < 0 ? contents.push(identity) : known + 1
}

export function mergeLayers(layers: readonly (readonly EntryText[])[]): ImageTree {
  const tree = new ImageTree()
  layers.forEach((texts, layer) => {
    const entries = packedEntries(texts.map(entry))
    const applier = new LayerApplier(tree, entries, { layer })
    for (let index = 0; index < entries.length; index += 1) applier.apply(index)
  })
  return tree
}

/** Every path with what is there: `a/`, `a=content`, `a -> b`. */
export function listTree({ root, leaves }: ImageTree): string[] {
  const lines: string[] = []
  const visit = (prefix: string, directory: DirectoryNode) => {
    for (const name of [...directory.names.keys()].sort()) {
      const inode = directory.inode(name)
      if (inode === undefined) continue
      lines.push(describe(`${prefix}${name}`, inode))
      if (inode instanceof DirectoryNode) visit(`${prefix}${name}/`, inode)
    }
  }
  const describe = (path: string, inode: InodeNode): string => {
    if (inode instanceof DirectoryNode) {
      return inode.isImplied ? `${path}/ implied` : `${path}/`
    }
    switch (leaves.kindOf(inode)) {
      case 'file':
        return `${path}=${contents[sizeOf(leaves, inode) - 1]}`
      case 'symlink':
        return `${path} -> ${leaves.targetOf(inode)}`
      default:
        return `${path} ${leaves.kindOf(inode)}`
    }
  }
  visit('', root)
  return lines
}

function sizeOf(leaves: Leaves, file: number): number {
  let first = 0
  for (const { length, firsts, contents } of leaves.parts) {
    if (file < first + length) return contents.columns.sizes[firsts[file - first] ?? 0] ?? 0
    first += length
  }
  throw new Error('no such leaf')
}
