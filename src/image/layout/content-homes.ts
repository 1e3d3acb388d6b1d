/**
 * Equal contents are stored once: of the contents of the image's files, that which comes first, lowest layer
 * first, then by position, stands for all that are equal. The module of assembly/ looks for them.
 */
import { randomInt } from 'node:crypto'
import { noMemory } from '../../errors/no-memory.ts'
import { childIsDirectory } from '../../squashfs/flat-tree.ts'
import type { PackedContents } from '../packed-contents.ts'
import type { EntryColumns } from '../packed-entries.ts'
import { entryKinds } from '../packed-layer-format.ts'
import type { FlatImageTree } from '../tree/node.ts'
import {
  type ContentHomesExports,
  homeColumns,
  instantiateContentHomes,
  memoryUse,
} from './content-homes-module.ts'

/**
 * For each layer the contents that are taken from it, in the order of the packed bytes. The others are led
 * to theirs. A layer that comes twice has all of them the first time.
 * @throws {SregistryError} LIMIT_EXCEEDED where there is not enough memory.
 */
export function findContentHomes(tree: FlatImageTree): readonly Uint32Array[] {
  const layers = tree.leaves.parts
  for (const { contents } of layers) contents.placement.clear()
  const memory = new HomesMemory(layers)
  memory.setNamed(tree)
  return memory.find()
}

const fileKind = entryKinds.indexOf('file')

type PlacedLayer = {
  readonly columns: EntryColumns
  /** Numbers of its first leaf and of its first content in the memory. */
  readonly leaf: number
  readonly content: number
  readonly isAgain: boolean
}

class HomesMemory {
  readonly #module: ContentHomesExports
  readonly #layers: readonly PlacedLayer[]

  constructor(layers: readonly EntryColumns[]) {
    this.#module = instantiateContentHomes()
    let leaves = 0
    let contents = 0
    let textBytes = 0
    const firsts = new Map<PackedContents, number>()
    this.#layers = layers.map((columns) => {
      const known = firsts.get(columns.contents)
      const layer = {
        columns,
        leaf: leaves,
        content: known ?? contents,
        isAgain: known !== undefined,
      }
      leaves += columns.length
      if (known !== undefined) return layer
      firsts.set(columns.contents, contents)
      contents += columns.contents.columns.length
      textBytes += columns.contents.columns.text.length
      return layer
    })
    if (textBytes > 0xffff_ffff) throw noMemory(memoryUse)
    this.#module.reserve(leaves, contents, textBytes, randomInt(2 ** 31))
    let textStart = 0
    for (const layer of this.#layers) {
      this.#setLeaves(layer)
      if (layer.isAgain) continue
      this.#setContents(layer, textStart)
      textStart += layer.columns.contents.columns.text.length
    }
  }

  /** Says which leaves have a name in the image; of hard links, those that are the inodes. */
  setNamed({ directories, leaves }: FlatImageTree): void {
    const named = new Uint8Array(this.#module.memory.buffer, this.#address('named'))
    const { children } = directories
    const { links } = leaves
    for (let index = 0; index < children.length; index += 1) {
      const child = children[index] ?? 0
      if (child < childIsDirectory) named[child] = 1
    }
    for (const [link, inode] of links) if (named[link] === 1) named[inode] = 1
  }

  find(): readonly Uint32Array[] {
    const module = this.#module
    for (const { columns, leaf, content } of this.#layers) {
      module.markLive(leaf, columns.length, content, fileKind)
    }
    const ends = this.#layers.map(({ columns, content, isAgain }, number) => {
      if (!isAgain) module.addContents(number, content, columns.contents.columns.length)
      return module.homesFound() >>> 0
    })
    module.finish()
    this.#leadDoubles()
    const { buffer } = module.memory
    const homes = new Uint32Array(buffer, module.homesStart() >>> 0, module.homesFound() >>> 0)
    return this.#layers.map(({ content }, number) =>
      homes.slice(ends[number - 1] ?? 0, ends[number]).map((home) => home - content),
    )
  }

  #leadDoubles(): void {
    const { memory, doublesStart, doublesFound } = this.#module
    const doubles = new Uint32Array(memory.buffer, doublesStart() >>> 0, 2 * (doublesFound() >>> 0))
    const placed = this.#layers.filter(({ isAgain }) => !isAgain)
    const layerOf = (content: number) =>
      placed.findLast((layer) => layer.content <= content) as PlacedLayer
    for (let at = 0; at < doubles.length; at += 2) {
      const [content = 0, home = 0] = [doubles[at], doubles[at + 1]]
      const [own, other] = [layerOf(content), layerOf(home)]
      own.columns.contents.placement.homes.set(content - own.content, {
        contents: other.columns.contents,
        index: home - other.content,
      })
    }
  }

  #setLeaves({ columns, leaf }: PlacedLayer): void {
    const { buffer } = this.#module.memory
    new Uint8Array(buffer, this.#address('kinds')).set(columns.kinds, leaf)
    this.#words('firsts').set(columns.firsts, leaf)
  }

  #setContents({ columns, content }: PlacedLayer, textStart: number): void {
    const { buffer } = this.#module.memory
    const { length, ...from } = columns.contents.columns
    const floats = (name: 'sizes' | 'positions') =>
      new Float64Array(buffer, this.#address(name)).set(from[name].subarray(0, length), content)
    floats('sizes')
    floats('positions')
    for (const name of ['fragments', 'offsets', 'identityLengths'] as const) {
      this.#words(name).set(from[name].subarray(0, length), content)
    }
    const starts = this.#words('identityStarts')
    for (let index = 0; index < length; index += 1) {
      starts[content + index] = textStart + (from.identityStarts[index] ?? 0)
    }
    Buffer.from(buffer, this.#address('text')).write(from.text, textStart, 'latin1')
  }

  #address(name: keyof typeof homeColumns): number {
    return this.#module.addressOf(homeColumns[name]) >>> 0
  }

  #words(name: keyof typeof homeColumns): Uint32Array {
    return new Uint32Array(this.#module.memory.buffer, this.#address(name))
  }
}
