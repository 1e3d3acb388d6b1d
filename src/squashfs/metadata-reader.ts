import type { BlockDecompressor } from './block-decompressor.ts'
import { damagedImage } from './damaged-image.ts'
import { metadataBlockBytes, metadataRaw, referenceBase } from './format.ts'
import { type RandomAccessSource, readExactly } from './random-access-source.ts'

type MetadataBlock = {
  readonly bytes: Buffer
  /** Where the next block begins, relative to the table. */
  readonly next: number
}

/** Blocks kept decompressed: 1 MiB, which holds what neighbours in a tree share. */
const keptBlocks = 128

/**
 * The metadata blocks of one table, read from anywhere in it.
 * @see format.adoc "Packing Metadata"
 */
export class MetadataReader {
  readonly #source: RandomAccessSource
  readonly #decompressor: BlockDecompressor
  readonly #start: number
  readonly #end: number
  readonly #blocks = new Map<number, MetadataBlock>()

  /** @param end An upper bound of where the table ends; nothing is read beyond it. */
  constructor(
    source: RandomAccessSource,
    decompressor: BlockDecompressor,
    { start, end }: { readonly start: number; readonly end: number },
  ) {
    this.#source = source
    this.#decompressor = decompressor
    this.#start = start
    this.#end = end
  }

  /** The most bytes that the table can hold: each of its blocks takes at least three. */
  get mostBytes(): number {
    return Math.ceil((this.#end - this.#start) / 3) * metadataBlockBytes
  }

  cursor(reference: number): MetadataCursor {
    return new MetadataCursor(this, reference)
  }

  /** @throws {SregistryError} IMAGE_INVALID outside of the table, or when the block is damaged. */
  async block(offset: number): Promise<MetadataBlock> {
    const known = this.#blocks.get(offset)
    if (known !== undefined) return known
    const block = await this.#read(offset)
    if (this.#blocks.size >= keptBlocks) this.#forgetOldest()
    this.#blocks.set(offset, block)
    return block
  }

  async #read(offset: number): Promise<MetadataBlock> {
    const position = this.#start + offset
    const room = this.#end - position
    if (room < 3) throw damagedImage('it refers to metadata outside of a table')
    const length = Math.min(2 + metadataBlockBytes, room)
    const stored = await readExactly(this.#source, position, length)
    const header = stored.readUInt16LE(0)
    const size = header & ~metadataRaw
    if (size === 0 || size > length - 2) throw damagedImage('a metadata block has a wrong size')
    const payload = stored.subarray(2, 2 + size)
    const bytes =
      (header & metadataRaw) === 0
        ? this.#decompressor.decompressSync(payload, metadataBlockBytes)
        : payload
    if (bytes.length === 0) throw damagedImage('a metadata block is empty')
    return { bytes: bytes as Buffer, next: offset + 2 + size }
  }

  #forgetOldest(): void {
    for (const oldest of this.#blocks.keys()) {
      this.#blocks.delete(oldest)
      return
    }
  }
}

/** Reads on from one place in a table, across its blocks. */
export class MetadataCursor {
  readonly #reader: MetadataReader
  #block: number
  #offset: number

  constructor(reader: MetadataReader, reference: number) {
    this.#reader = reader
    this.#block = Math.floor(reference / referenceBase)
    this.#offset = reference % referenceBase
  }

  /** Where it stands. */
  get reference(): number {
    return this.#block * referenceBase + this.#offset
  }

  /**
   * The next bytes; not to be changed. Takes memory only for what is there, however much is asked for.
   * @throws {SregistryError} IMAGE_INVALID where the table ends before.
   */
  async read(length: number): Promise<Buffer> {
    const first = await this.#take(length)
    if (first.length === length) return first
    const pieces = [first]
    for (let missing = length - first.length; missing > 0; ) {
      const piece = await this.#take(missing)
      pieces.push(piece)
      missing -= piece.length
    }
    return Buffer.concat(pieces, length)
  }

  /** What the current block has of the next bytes: at least one. */
  async #take(length: number): Promise<Buffer> {
    let block = await this.#reader.block(this.#block)
    if (this.#offset > block.bytes.length) throw damagedImage('it refers behind a metadata block')
    if (this.#offset === block.bytes.length && length > 0) {
      this.#block = block.next
      this.#offset = 0
      block = await this.#reader.block(this.#block)
    }
    const piece = block.bytes.subarray(this.#offset, this.#offset + length)
    this.#offset += piece.length
    return piece
  }
}
