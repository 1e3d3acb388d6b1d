/** Decodes where the contents of a packed layer's files lie, and checks that they lie in it. */
import { blockRaw } from '../squashfs/format.ts'
import { damaged, type IndexDecoder } from './index-decoder.ts'
import { type ContentColumns, PackedContents } from './packed-contents.ts'
import type { PackedFragment } from './packed-layer.ts'
import { headerBytes } from './packed-layer-format.ts'

export type Bounds = {
  /** Where the blocks end in the file. */
  readonly dataEnd: number
  readonly blockSize: number
}

export class ContentDecoder {
  private readonly decoder: IndexDecoder
  private readonly bounds: Bounds & { readonly fragments: readonly PackedFragment[] }
  private readonly columns: Omit<ContentColumns, 'length' | 'blocks'>
  private blocks = new Uint32Array(1024)
  private length = 0

  /** @param most How many contents there may be. */
  constructor(
    decoder: IndexDecoder,
    most: number,
    bounds: Bounds & { readonly fragments: readonly PackedFragment[] },
  ) {
    this.decoder = decoder
    this.bounds = bounds
    this.columns = {
      text: decoder.text,
      sizes: new Float64Array(most),
      identityStarts: new Uint32Array(most),
      identityLengths: new Uint32Array(most),
      positions: new Float64Array(most),
      fragments: new Int32Array(most),
      offsets: new Uint32Array(most),
      blockStarts: new Uint32Array(most + 1),
    }
  }

  /** @returns its number. @throws {SregistryError} IMAGE_INVALID. */
  decode(): number {
    const decoder = this.decoder
    const columns = this.columns
    const index = this.length
    const sizeBytes = decoder.number()
    columns.sizes[index] = sizeBytes
    const identityLength = decoder.skip()
    columns.identityStarts[index] = decoder.offset - identityLength
    columns.identityLengths[index] = identityLength
    const position = decoder.number()
    columns.positions[index] = position
    const fragment = decoder.number() - 1
    if (fragment < 0) {
      columns.fragments[index] = -1
      this.decodeBlocks(index, sizeBytes, position)
    } else {
      columns.fragments[index] = fragment
      columns.offsets[index] = this.decodeOffset(fragment, sizeBytes)
      columns.blockStarts[index + 1] = columns.blockStarts[index] ?? 0
    }
    this.length = index + 1
    return index
  }

  finish(): PackedContents {
    return new PackedContents({ ...this.columns, length: this.length, blocks: this.blocks })
  }

  private decodeOffset(fragment: number, sizeBytes: number): number {
    const offset = this.decoder.number()
    if (offset + sizeBytes > (this.bounds.fragments[fragment]?.sizeBytes ?? -1)) {
      throw damaged('a file lies outside its fragment')
    }
    return offset
  }

  private decodeBlocks(index: number, sizeBytes: number, position: number): void {
    const { blockStarts } = this.columns
    const start = blockStarts[index] ?? 0
    const count = this.decoder.count()
    if (count !== Math.ceil(sizeBytes / this.bounds.blockSize)) {
      throw damaged('a file has lost blocks')
    }
    while (start + count > this.blocks.length) this.grow()
    let storedBytes = 0
    for (let block = start; block < start + count; block += 1) {
      const word = this.decoder.number()
      checkSizeWord(word, this.bounds)
      this.blocks[block] = word
      storedBytes += word % blockRaw
    }
    checkRange(position, storedBytes, this.bounds)
    blockStarts[index + 1] = start + count
  }

  private grow(): void {
    const larger = new Uint32Array(2 * this.blocks.length)
    larger.set(this.blocks)
    this.blocks = larger
  }
}

export function checkSizeWord(word: number, { blockSize }: Bounds): void {
  const size = word % blockRaw
  if (word >= 2 * blockRaw || size > blockSize || (size === 0 && word !== 0)) {
    throw damaged('the size of a block is wrong')
  }
}

export function checkRange(position: number, sizeBytes: number, { dataEnd }: Bounds): void {
  if (sizeBytes === 0) return
  if (position < headerBytes || position + sizeBytes > dataEnd) {
    throw damaged('a block lies outside the file')
  }
}
