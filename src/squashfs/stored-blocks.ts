import type { Compression } from './compression.ts'
import { metadataRaw, referenceBase } from './format.ts'

/** What the tables need of a block compressor. */
export type MetadataCompressor = {
  readonly compression: Compression
  /** A block of at most 8 KiB, compressed, or itself where compressing does not make it smaller. */
  compressMetadata(block: Uint8Array): Uint8Array
}

/** The metadata blocks of one table as they are stored: each behind a u16 with its length. */
export class StoredBlocks {
  /** Where each block begins, relative to the table. */
  readonly starts: number[] = []
  readonly #compressor: MetadataCompressor
  readonly #stored: Uint8Array[] = []
  #storedBytes = 0

  constructor(compressor: MetadataCompressor) {
    this.#compressor = compressor
  }

  store(block: Uint8Array): void {
    const compressed = this.#compressor.compressMetadata(block)
    const isRaw = compressed.length >= block.length
    const payload = isRaw ? block : compressed
    const stored = Buffer.allocUnsafeSlow(2 + payload.length)
    stored.writeUInt16LE(payload.length | (isRaw ? metadataRaw : 0))
    stored.set(payload, 2)
    this.starts.push(this.#storedBytes)
    this.#stored.push(stored)
    this.#storedBytes += stored.length
  }

  /** Where a block begins that is stored, or is the next one to be. */
  startOf(block: number): number {
    return this.starts[block] ?? this.#storedBytes
  }

  /** A reference as readers want it, of one that names a block by its number. */
  resolve(reference: number): number {
    const block = Math.floor(reference / referenceBase)
    return this.startOf(block) * referenceBase + (reference % referenceBase)
  }

  /** The whole table. */
  concat(): Uint8Array {
    return Buffer.concat(this.#stored, this.#storedBytes)
  }
}
