/**
 * Equal contents are stored once: of the contents of the image's files, that which comes first, lowest layer
 * first, then by position, stands for all that are equal.
 */
import { randomInt } from 'node:crypto'
import type { PackedContents } from '../packed-contents.ts'
import { directoriesFrom, type ImageTree } from '../tree/node.ts'

/**
 * For each layer the contents that are taken from it, in the order of the packed bytes. The others are led
 * to theirs. A layer that comes twice has all of them the first time.
 */
export function findContentHomes(
  tree: ImageTree,
  layers: readonly PackedContents[],
): readonly (readonly number[])[] {
  for (const { placement } of layers) placement.clear()
  markLive(tree)
  const table = new ContentTable(layers)
  const seen = new Set<PackedContents>()
  for (const [source, contents] of layers.entries()) {
    if (seen.has(contents)) continue
    seen.add(contents)
    const { sizes } = contents.columns
    const { live } = contents.placement
    for (let index = 0; index < live.length; index += 1) {
      if (live[index] === 1 && sizes[index] !== 0) table.add(source, index)
    }
  }
  return table.finish()
}

function markLive({ root, leaves }: ImageTree): void {
  const isNamed = new Uint8Array(leaves.count)
  for (const { names } of directoriesFrom(root)) {
    for (const node of names.values()) {
      if (typeof node === 'number') isNamed[leaves.inodeOf(node)] = 1
    }
  }
  leaves.markLive(isNamed)
}

/**
 * Contents by their identity: a hash table with open addressing. Identities are digests, so a few of their
 * bytes are as good as a hash.
 */
class ContentTable {
  private readonly layers: readonly PackedContents[]
  /** Layer and number of each home, and its hash. */
  private sources = new Uint32Array(512)
  private indexes = new Uint32Array(512)
  private hashes = new Int32Array(512)
  private length = 0
  /** One more than the number of a home; 0 where there is none. */
  private slots = new Int32Array(1024)
  /** Layer, number and home of each content that has its home elsewhere, one after the other. */
  private readonly doubles: number[] = []
  /** Digests whose bytes collide can be looked for, but not for a factor that nobody knows. */
  private readonly factor = 2 * randomInt(2 ** 30) + 1

  constructor(layers: readonly PackedContents[]) {
    this.layers = layers
  }

  /** The contents of a lower layer must have been added before. */
  add(source: number, index: number): void {
    const contents = this.layers[source] as PackedContents
    const { text, identityStarts, identityLengths } = contents.columns
    const end = (identityStarts[index] ?? 0) + (identityLengths[index] ?? 0)
    const hash = this.hash(text, end)
    const slot = this.find(hash, contents, index)
    const home = (this.slots[slot] ?? 0) - 1
    if (home < 0) {
      this.slots[slot] = this.push(source, index, hash)
      return
    }
    const known = this.indexes[home] ?? 0
    // packed twice in one layer, and met in the other order
    if (this.sources[home] === source && contents.compare(index, known) < 0) {
      this.indexes[home] = index
      this.doubles.push(source, known, home)
    } else this.doubles.push(source, index, home)
  }

  finish(): readonly (readonly number[])[] {
    const homes: number[][] = this.layers.map(() => [])
    for (let home = 0; home < this.length; home += 1) {
      homes[this.sources[home] ?? 0]?.push(this.indexes[home] ?? 0)
    }
    const doubles = this.doubles
    for (let at = 0; at < doubles.length; at += 3) {
      const source = doubles[at] ?? 0
      const index = doubles[at + 1] ?? 0
      const home = doubles[at + 2] ?? 0
      const contents = this.layers[this.sources[home] ?? 0] as PackedContents
      const standing = { contents, index: this.indexes[home] ?? 0 }
      this.layers[source]?.placement.homes.set(index, standing)
    }
    // nearly in order already, and sorting that takes little more than looking
    return homes.map((list, source) => list.sort((a, b) => this.layers[source]?.compare(a, b) ?? 0))
  }

  private push(source: number, index: number, hash: number): number {
    if (this.length === this.hashes.length) this.grow()
    this.sources[this.length] = source
    this.indexes[this.length] = index
    this.hashes[this.length] = hash
    this.length += 1
    return this.length
  }

  /** The slot that has the identity, or is free for it. */
  private find(hash: number, contents: PackedContents, index: number): number {
    const mask = this.slots.length - 1
    let slot = hash & mask
    for (;;) {
      const home = (this.slots[slot] ?? 0) - 1
      if (home < 0) return slot
      if (this.hashes[home] === hash) {
        const other = this.layers[this.sources[home] ?? 0] as PackedContents
        const identity = other.identityOf(this.indexes[home] ?? 0)
        if (identity === contents.identityOf(index)) return slot
      }
      slot = (slot + 1) & mask
    }
  }

  private hash(text: string, end: number): number {
    const last = (text.charCodeAt(end - 1) << 16) ^ (text.charCodeAt(end - 2) << 8)
    const other = (text.charCodeAt(end - 4) << 24) ^ (text.charCodeAt(end - 5) << 16)
    const low = (text.charCodeAt(end - 6) << 8) ^ text.charCodeAt(end - 7)
    const mixed = Math.imul(other ^ low, this.factor)
    return last ^ text.charCodeAt(end - 3) ^ mixed ^ (mixed >>> 15)
  }

  private grow(): void {
    this.sources = larger(this.sources, new Uint32Array(2 * this.length))
    this.indexes = larger(this.indexes, new Uint32Array(2 * this.length))
    this.hashes = larger(this.hashes, new Int32Array(2 * this.length))
    this.slots = new Int32Array(4 * this.length)
    const mask = this.slots.length - 1
    for (let home = 0; home < this.length; home += 1) {
      let slot = (this.hashes[home] ?? 0) & mask
      while (this.slots[slot] !== 0) slot = (slot + 1) & mask
      this.slots[slot] = home + 1
    }
  }
}

function larger<T extends Uint32Array | Int32Array>(from: T, to: T): T {
  to.set(from)
  return to
}
