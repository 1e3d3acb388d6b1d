/**
 * Equal contents are stored once: of the files that have one content, that which comes first, lowest layer
 * first, then by position, stands for all of them.
 */
import { randomInt } from 'node:crypto'
import { type DirectoryNode, everyInode, type FileNode } from '../tree/node.ts'

export type ContentHomes = {
  /** One file for each content that is not empty, in the order of the packed bytes. */
  readonly homes: readonly FileNode[]
  /** The other files; `home` leads from each to the one that stands for it. */
  readonly doubles: readonly FileNode[]
}

export function findContentHomes(root: DirectoryNode): ContentHomes {
  const table = new ContentTable()
  const seen = new Set<FileNode>()
  for (const inode of everyInode(root)) {
    if (inode.kind !== 'file' || inode.packed.sizeBytes === 0) continue
    if (inode.hasLinks) {
      if (seen.has(inode)) continue
      seen.add(inode)
    }
    table.add(inode)
  }
  return { homes: sorted(table.homes), doubles: table.doubles }
}

/** Of one layer they are nearly in order already, and sorting that takes little more than looking. */
function sorted(homes: readonly FileNode[]): FileNode[] {
  const layers: FileNode[][] = []
  for (const home of homes) {
    layers[home.source] ??= []
    layers[home.source]?.push(home)
  }
  return layers.flatMap((layer) => layer.sort(order))
}

/** The file that stands for a file's content: itself, if no other does. */
export function homeOf(file: FileNode): FileNode {
  let home = file
  while (home.home !== undefined) home = home.home
  return home
}

/** Order of the packed bytes: by layer, tails before files with blocks of their own, then by position. */
function order(a: FileNode, b: FileNode): number {
  const tailA = a.packed.fragment
  const tailB = b.packed.fragment
  return (
    a.source - b.source ||
    a.packed.position - b.packed.position ||
    (tailA?.index ?? -1) - (tailB?.index ?? -1) ||
    (tailA?.offset ?? -1) - (tailB?.offset ?? -1)
  )
}

/**
 * Files by the identity of their content: a hash table with open addressing. Identities are digests, so a
 * few of their bytes are as good as a hash: a Map, which hashes each string, takes three times as long.
 */
class ContentTable {
  readonly homes: FileNode[] = []
  readonly doubles: FileNode[] = []
  /** One more than an index into `homes`; 0 where there is none. */
  #slots = new Int32Array(1024)
  /** Of each home. */
  #hashes = new Int32Array(512)
  /** Digests whose bytes collide can be looked for, but not for a factor that nobody knows. */
  readonly #factor = 2 * randomInt(2 ** 30) + 1

  add(file: FileNode): void {
    // an image may be laid out twice
    file.home = undefined
    const { identity } = file.packed
    const hash = this.#hash(identity)
    const slot = this.#find(hash, identity)
    const index = (this.#slots[slot] ?? 0) - 1
    const home = this.homes[index]
    if (home === undefined) {
      this.#hashes[this.homes.length] = hash
      this.#slots[slot] = this.homes.push(file)
      if (this.homes.length === this.#hashes.length) this.#grow()
    } else if (order(file, home) < 0) {
      home.home = file
      this.homes[index] = file
      this.doubles.push(home)
    } else {
      file.home = home
      this.doubles.push(file)
    }
  }

  /** The slot that has the identity, or is free for it. */
  #find(hash: number, identity: string): number {
    const mask = this.#slots.length - 1
    let slot = hash & mask
    for (;;) {
      const index = (this.#slots[slot] ?? 0) - 1
      if (index < 0) return slot
      if (this.#hashes[index] === hash && this.homes[index]?.packed.identity === identity)
        return slot
      slot = (slot + 1) & mask
    }
  }

  #hash(identity: string): number {
    const end = identity.length
    const last = (identity.charCodeAt(end - 1) << 16) ^ (identity.charCodeAt(end - 2) << 8)
    const other = (identity.charCodeAt(end - 4) << 24) ^ (identity.charCodeAt(end - 5) << 16)
    const low = (identity.charCodeAt(end - 6) << 8) ^ identity.charCodeAt(end - 7)
    const mixed = Math.imul(other ^ low, this.#factor)
    return last ^ identity.charCodeAt(end - 3) ^ mixed ^ (mixed >>> 15)
  }

  #grow(): void {
    const hashes = new Int32Array(2 * this.#hashes.length)
    hashes.set(this.#hashes)
    this.#hashes = hashes
    this.#slots = new Int32Array(2 * hashes.length)
    const mask = this.#slots.length - 1
    for (let index = 0; index < this.homes.length; index += 1) {
      let slot = (hashes[index] ?? 0) & mask
      while (this.#slots[slot] !== 0) slot = (slot + 1) & mask
      this.#slots[slot] = index + 1
    }
  }
}
