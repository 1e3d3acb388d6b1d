import type { Compression } from './compression.ts'
import { metadataBlockBytes, metadataRaw, referenceBase } from './format.ts'

/** What the table writers need of a block compressor. */
export type MetadataCompressor = {
  readonly compression: Compression
  /** A block of at most 8 KiB, compressed, or itself where compressing does not make it smaller. */
  compressMetadata(block: Uint8Array): Uint8Array
}

/**
 * A table as a stream of bytes that is cut into metadata blocks of exactly 8192 bytes, the last one
 * apart. Callers claim room and write into `view` and `bytes` at the offset they get; both may be
 * replaced by the next claim.
 * @see FORMATS "Metadata blocks"; format.adoc "Packing Metadata"
 */
export class MetadataWriter {
  bytes: Buffer = Buffer.alloc(4 * metadataBlockBytes)
  view: DataView = viewOf(this.bytes)
  /** Where each stored block begins, relative to the table. */
  readonly blockStarts: number[] = []
  readonly #compressor: MetadataCompressor
  readonly #stored: Uint8Array[] = []
  #filled = 0
  #storedBytes = 0

  constructor(compressor: MetadataCompressor) {
    this.#compressor = compressor
  }

  /** Where the next byte will lie, as a reference; its offset is always below 8192. */
  get reference(): number {
    if (this.#filled >= metadataBlockBytes) this.#storeFullBlocks()
    return this.#storedBytes * referenceBase + this.#filled
  }

  /** Takes room for that many bytes, which hold anything until they are written. */
  claim(sizeBytes: number): number {
    if (this.#filled >= metadataBlockBytes) this.#storeFullBlocks()
    const at = this.#filled
    if (at + sizeBytes > this.bytes.length) this.#grow(at + sizeBytes)
    this.#filled = at + sizeBytes
    return at
  }

  /** Stores what is left and returns the whole table. Nothing may be claimed after it. */
  finish(): Uint8Array {
    this.#storeFullBlocks()
    if (this.#filled > 0) this.#store(this.bytes.subarray(0, this.#filled))
    this.#filled = 0
    return Buffer.concat(this.#stored, this.#storedBytes)
  }

  #grow(neededBytes: number): void {
    const larger = Buffer.alloc(Math.max(neededBytes, 2 * this.bytes.length))
    this.bytes.copy(larger)
    this.bytes = larger
    this.view = viewOf(larger)
  }

  #storeFullBlocks(): void {
    let start = 0
    for (; this.#filled - start >= metadataBlockBytes; start += metadataBlockBytes) {
      this.#store(this.bytes.subarray(start, start + metadataBlockBytes))
    }
    this.bytes.copyWithin(0, start, this.#filled)
    this.#filled -= start
  }

  #store(block: Uint8Array): void {
    const compressed = this.#compressor.compressMetadata(block)
    const isRaw = compressed.length >= block.length
    const payload = isRaw ? block : compressed
    const stored = Buffer.allocUnsafeSlow(2 + payload.length)
    stored.writeUInt16LE(payload.length | (isRaw ? metadataRaw : 0))
    stored.set(payload, 2)
    this.blockStarts.push(this.#storedBytes)
    this.#stored.push(stored)
    this.#storedBytes += stored.length
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
