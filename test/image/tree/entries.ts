/** Entries of packed layers, written short: `dir/` a directory, `a -> b` a symlink, `a => b` a hard link. */
import type { IndexedEntry } from '../../../src/image/packed-entries.ts'
import { applyLayer } from '../../../src/image/tree/apply-layer.ts'
import { DirectoryNode, type InodeNode } from '../../../src/image/tree/node.ts'
import type { InodeMetadata } from '../../../src/squashfs/inode.ts'
import { indexedContent } from '../indexed-contents.ts'

export const implied: InodeMetadata = { mode: 0o755, uid: 0, gid: 0, mtime: 7, xattrs: undefined }

export type EntryText = string | IndexedEntry

/** A file's content is its identity: `name=content`, by default the name. */
export function entry(text: EntryText): IndexedEntry {
  if (typeof text !== 'string') return text
  const metadata = { mode: 0o644, uid: 1, gid: 2, mtime: 3, xattrs: undefined }
  if (text.endsWith('/')) {
    return { ...metadata, mode: 0o750, kind: 'directory', path: text.slice(0, -1) }
  }
  const [path = '', arrow, target = ''] = text.split(' ')
  if (arrow === '->') return { ...metadata, mode: 0o777, kind: 'symlink', path, target }
  if (arrow === '=>') return { ...metadata, kind: 'hardlink', path, target }
  const [name = '', identity = name] = text.split('=')
  const content = indexedContent({
    sizeBytes: 1,
    identity,
    position: 0,
    blocks: new Uint32Array(),
    fragment: undefined,
  })
  return { ...metadata, kind: 'file', path: name, content }
}

export function mergeLayers(layers: readonly (readonly EntryText[])[]): DirectoryNode {
  const root = new DirectoryNode(implied, -1)
  layers.forEach((entries, layer) => {
    applyLayer(root, entries.map(entry), { layer, implied })
  })
  return root
}

/** Every path with what is there: `a/`, `a=content`, `a -> b`. */
export function listTree(root: DirectoryNode): string[] {
  const lines: string[] = []
  const visit = (prefix: string, directory: DirectoryNode) => {
    for (const name of [...directory.names.keys()].sort()) {
      const inode = directory.inode(name)
      if (inode === undefined) continue
      lines.push(describe(`${prefix}${name}`, inode))
      if (inode instanceof DirectoryNode) visit(`${prefix}${name}/`, inode)
    }
  }
  visit('', root)
  return lines
}

function describe(path: string, inode: InodeNode): string {
  switch (inode.kind) {
    case 'directory':
      return inode.mtime === implied.mtime ? `${path}/ implied` : `${path}/`
    case 'file':
      return `${path}=${inode.packed.identity}`
    case 'symlink':
      return `${path} -> ${inode.target}`
    default:
      return `${path} ${inode.kind}`
  }
}
