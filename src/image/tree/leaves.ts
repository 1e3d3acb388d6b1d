/**
 * What a root file system has beside directories. A leaf is a number: the layers' entries are counted on from
 * layer to layer, and a leaf is the number of the entry that named it. Objects for each would be most of what
 * merging costs; what a leaf is, is read from its layer's columns when it is asked for.
 */
import type { FileContent, LeafInode } from '../../squashfs/inode.ts'
import type { PackedEntries } from '../packed-entries.ts'
import type { PackedEntry } from '../packed-layer.ts'
import { entryKinds } from '../packed-layer-format.ts'

const fileKind = entryKinds.indexOf('file')

type Place = { readonly entries: PackedEntries; readonly index: number }

export class Leaves {
  /** Of each layer, lowest first: its entries, and the number of its first one. */
  private readonly layers: PackedEntries[] = []
  private readonly firsts: number[] = []
  private total = 0
  /** Hard links: the number of each and that of its inode. */
  private readonly links = new Map<number, number>()
  private readonly linked = new Set<number>()
  private readonly record = new LeafRecord()

  /** One more than the largest number. */
  get count(): number {
    return this.total
  }

  /** Counts on through the entries of the next layer. @returns the number of the first. */
  add(entries: PackedEntries): number {
    const first = this.total
    this.layers.push(entries)
    this.firsts.push(first)
    this.total += entries.length
    return first
  }

  /** The position of the layer that named it. */
  layerOf(leaf: number): number {
    let layer = this.firsts.length - 1
    while (layer > 0 && leaf < (this.firsts[layer] ?? 0)) layer -= 1
    return layer
  }

  /** Makes a leaf a further name of another one, which is no link itself. */
  link(leaf: number, inode: number): void {
    this.links.set(leaf, inode)
    this.linked.add(inode)
  }

  /** The leaf that is the inode; itself but for hard links. */
  inodeOf(leaf: number): number {
    return this.links.size === 0 ? leaf : (this.links.get(leaf) ?? leaf)
  }

  /** Whether an inode may have more names than one. */
  hasLinks(inode: number): boolean {
    return this.linked.has(inode)
  }

  kindOf(inode: number): PackedEntry['kind'] {
    const { entries, index } = this.placeOf(inode)
    return entries.kindOf(index)
  }

  /** Of a symlink. */
  targetOf(inode: number): string {
    const { entries, index } = this.placeOf(inode)
    return entries.targetOf(index)
  }

  /** Says which contents an image has: those of the files among the inodes that have 1 here. */
  markLive(isNamed: Uint8Array): void {
    for (const [layer, { columns, contents }] of this.layers.entries()) {
      const first = this.firsts[layer] ?? 0
      const { kinds, firsts, length } = columns
      const { live } = contents.placement
      for (let index = 0; index < length; index += 1) {
        if (isNamed[first + index] === 1 && kinds[index] === fileKind) live[firsts[index] ?? 0] = 1
      }
    }
  }

  /** As an image has it that was laid out: the same record each time, which says another leaf at the next call. */
  inode(inode: number): LeafInode {
    const layer = this.layerOf(inode)
    const entries = this.layers[layer] as PackedEntries
    const index = inode - (this.firsts[layer] ?? 0)
    const { modes, uids, gids, mtimes, xattrs } = entries.columns
    const record = this.record
    record.kind = entries.kindOf(index)
    record.mode = modes[index] ?? 0
    record.uid = uids[index] ?? 0
    record.gid = gids[index] ?? 0
    record.mtime = mtimes[index] ?? 0
    record.xattrs = xattrs.get(index)
    switch (record.kind) {
      case 'file':
        record.content = entries.contents.placed(entries.contentOf(index))
        break
      case 'symlink':
        // archives say anything; on Linux every symlink is 0777
        record.mode = 0o777
        record.target = entries.targetOf(index)
        break
      case 'char-device':
      case 'block-device':
        Object.assign(record, entries.deviceOf(index))
    }
    return record as LeafInode
  }

  private placeOf(inode: number): Place {
    const layer = this.layerOf(inode)
    const entries = this.layers[layer]
    if (entries === undefined) throw new RangeError('no layer has been added')
    return { entries, index: inode - (this.firsts[layer] ?? 0) }
  }
}

/** All that leaves of any kind say: records of one form are made and read faster than one for each kind. */
class LeafRecord {
  kind: PackedEntry['kind'] = 'file'
  mode = 0
  uid = 0
  gid = 0
  mtime = 0
  xattrs: ReadonlyMap<string, Uint8Array> | undefined = undefined
  content: FileContent | undefined = undefined
  target = ''
  major = 0
  minor = 0
}
