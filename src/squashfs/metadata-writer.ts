import { metadataBlockBytes, referenceBase } from './format.ts'

/**
 * Places of u32s that are to hold where a block of another table is stored, which is not known before that is:
 * position and number of the block, one pair after the other. The last bytes of the last place may lie in the
 * next block.
 */
export type BlockReferences = Uint32Array

/** Takes the blocks of a table in their order; it may keep the references, and must copy the bytes. */
export type BlockSink = (bytes: Uint8Array, references: BlockReferences) => void

/**
 * A table as a stream of bytes that is cut into metadata blocks of exactly 8192 bytes, the last one
 * apart. Callers claim room and write into `view` and `bytes` at the offset they get; both may be
 * replaced by the next claim.
 * @see FORMATS "Metadata blocks"; format.adoc "Packing Metadata"
 */
export class MetadataWriter {
  bytes: Buffer = Buffer.alloc(4 * metadataBlockBytes)
  view: DataView = viewOf(this.bytes)
  private readonly sink: BlockSink
  /** Pairs as in `BlockReferences`, in the order of their positions in `bytes`. */
  private references: number[] = []
  private filled = 0
  private blocks = 0

  constructor(sink: BlockSink) {
    this.sink = sink
  }

  /** Where the next byte will lie: number of its block x 2^16 + offset in the block, below 8192. */
  get reference(): number {
    if (this.filled >= metadataBlockBytes) this.storeFullBlocks()
    return this.blocks * referenceBase + this.filled
  }

  /** Takes room for that many bytes, which hold anything until they are written. */
  claim(sizeBytes: number): number {
    if (this.filled >= metadataBlockBytes) this.storeFullBlocks()
    const at = this.filled
    if (at + sizeBytes > this.bytes.length) this.grow(at + sizeBytes)
    this.filled = at + sizeBytes
    return at
  }

  /** Leaves a u32 to whoever stores the blocks: where a block of the other table begins. */
  refer(at: number, block: number): void {
    this.references.push(at, block)
  }

  /** Stores what is left. Nothing may be claimed after it. */
  finish(): void {
    this.storeFullBlocks()
    if (this.filled > 0) this.store(0, this.filled)
    this.filled = 0
  }

  private grow(neededBytes: number): void {
    const larger = Buffer.alloc(Math.max(neededBytes, 2 * this.bytes.length))
    this.bytes.copy(larger)
    this.bytes = larger
    this.view = viewOf(larger)
  }

  private storeFullBlocks(): void {
    let start = 0
    for (; this.filled - start >= metadataBlockBytes; start += metadataBlockBytes) {
      this.store(start, start + metadataBlockBytes)
    }
    this.bytes.copyWithin(0, start, this.filled)
    this.filled -= start
    for (let pair = 0; pair < this.references.length; pair += 2) {
      this.references[pair] = (this.references[pair] ?? 0) - start
    }
  }

  private store(start: number, end: number): void {
    let count = 0
    while ((this.references[count] ?? end) < end) count += 2
    const references = Uint32Array.from(this.references.splice(0, count))
    for (let pair = 0; pair < count; pair += 2) references[pair] = (references[pair] ?? 0) - start
    this.sink(this.bytes.subarray(start, end), references)
    this.blocks += 1
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
