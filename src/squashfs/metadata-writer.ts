import { metadataBlockBytes, referenceBase } from './format.ts'

/** Takes the blocks of a table in their order, and must copy the bytes. */
export type BlockSink = (bytes: Uint8Array) => void

/**
 * A table as a stream of bytes that is cut into metadata blocks of exactly 8192 bytes, the last one apart.
 * @see FORMATS "Metadata blocks"; format.adoc "Packing Metadata"
 */
export class MetadataWriter {
  private bytes: Buffer = Buffer.alloc(4 * metadataBlockBytes)
  private readonly sink: BlockSink
  private filled = 0
  private blocks = 0

  constructor(sink: BlockSink) {
    this.sink = sink
  }

  /** Where the next byte will lie: number of its block x 2^16 + offset in the block, below 8192. */
  get reference(): number {
    this.storeFullBlocks()
    return this.blocks * referenceBase + this.filled
  }

  write(bytes: Uint8Array): void {
    this.storeFullBlocks()
    const end = this.filled + bytes.length
    if (end > this.bytes.length) this.grow(end)
    this.bytes.set(bytes, this.filled)
    this.filled = end
  }

  /** Stores what is left. Nothing may be written after it. */
  finish(): void {
    this.storeFullBlocks()
    if (this.filled > 0) this.store(0, this.filled)
    this.filled = 0
  }

  private grow(neededBytes: number): void {
    const larger = Buffer.alloc(Math.max(neededBytes, 2 * this.bytes.length))
    this.bytes.copy(larger)
    this.bytes = larger
  }

  private storeFullBlocks(): void {
    if (this.filled < metadataBlockBytes) return
    let start = 0
    for (; this.filled - start >= metadataBlockBytes; start += metadataBlockBytes) {
      this.store(start, start + metadataBlockBytes)
    }
    this.bytes.copyWithin(0, start, this.filled)
    this.filled -= start
  }

  private store(start: number, end: number): void {
    this.sink(this.bytes.subarray(start, end))
    this.blocks += 1
  }
}
