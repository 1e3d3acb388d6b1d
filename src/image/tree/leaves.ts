/**
 * What a root file system has beside directories. A leaf is a number: the layers' entries are counted on from
 * layer to layer, and a leaf is the number of the entry that named it. Objects for each would be most of what
 * merging costs; what a leaf is, is read from its layer's columns when it is asked for.
 */
import type { SourceLeaves } from '../../squashfs/tree-source.ts'
import type { PackedEntries } from '../packed-entries.ts'
import type { PackedEntry } from '../packed-layer.ts'
import { entryKinds } from '../packed-layer-format.ts'

type Place = { readonly entries: PackedEntries; readonly index: number }

export class Leaves implements SourceLeaves {
  readonly kinds: readonly string[] = entryKinds
  /** Of each layer, lowest first: its entries, and the number of its first one. */
  private readonly layers: PackedEntries[] = []
  private readonly firsts: number[] = []
  private total = 0
  /** Hard links: the number of each and that of its inode. */
  readonly links: Map<number, number> = new Map()

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

  /** As the tables of an image are encoded of them, once it is laid out. */
  get parts(): PackedEntries['columns'][] {
    return this.layers.map(({ columns }) => columns)
  }

  /** Makes a leaf a further name of another one, which is no link itself. */
  link(leaf: number, inode: number): void {
    this.links.set(leaf, inode)
  }

  /** The leaf that is the inode; itself but for hard links. */
  inodeOf(leaf: number): number {
    return this.links.size === 0 ? leaf : (this.links.get(leaf) ?? leaf)
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

  private placeOf(inode: number): Place {
    const layer = this.layerOf(inode)
    const entries = this.layers[layer]
    if (entries === undefined) throw new RangeError('no layer has been added')
    return { entries, index: inode - (this.firsts[layer] ?? 0) }
  }
}
