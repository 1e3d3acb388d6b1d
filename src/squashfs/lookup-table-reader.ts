import type { BlockDecompressor } from './block-decompressor.ts'
import { damagedImage } from './damaged-image.ts'
import { metadataBlockBytes, referenceBase } from './format.ts'
import { MetadataReader } from './metadata-reader.ts'
import { type RandomAccessSource, readExactly } from './random-access-source.ts'

export type LookupTablePlace = {
  /** Position of the index, an array of u64 positions of metadata blocks. */
  readonly index: number
  /** Number and size of the entries; the size divides 8192. */
  readonly count: number
  readonly entryBytes: number
}

/** A table of fixed-size entries, read one by one. @see format.adoc "Storing Lookup Tables" */
export class LookupTableReader {
  readonly #source: RandomAccessSource
  readonly #place: LookupTablePlace
  readonly #blocks: MetadataReader
  readonly #positions = new Map<number, number>()

  constructor(
    source: RandomAccessSource,
    decompressor: BlockDecompressor,
    place: LookupTablePlace,
  ) {
    this.#source = source
    this.#place = place
    this.#blocks = new MetadataReader(source, decompressor, { start: 0, end: place.index })
  }

  /** @throws {SregistryError} IMAGE_INVALID when there is no such entry. */
  async entry(number: number): Promise<Buffer> {
    const { count, entryBytes } = this.#place
    if (number >= count) throw damagedImage(`it uses entry ${number} of a table of ${count}`)
    const at = number * entryBytes
    const block = Math.floor(at / metadataBlockBytes)
    const position = this.#positions.get(block) ?? (await this.#readPosition(block))
    const reference = position * referenceBase + (at % metadataBlockBytes)
    return this.#blocks.cursor(reference).read(entryBytes)
  }

  async #readPosition(block: number): Promise<number> {
    const { index } = this.#place
    const pointer = await readExactly(this.#source, index + 8 * block, 8)
    const position = pointer.readBigUInt64LE()
    if (position >= BigInt(index)) throw damagedImage('a table lies behind its index')
    this.#positions.set(block, Number(position))
    return Number(position)
  }
}
