/**
 * Decodes the deflate streams of a gzip layer and makes zlib streams of blocks of what they hold, taking
 * over the matches that the layer's own compressor found: a third of the work of gunzip and deflate.
 * Nothing is taken on trust: every match is compared with the bytes it stands for.
 */
import { instantiateRecoder, type RecoderExports, type RecoderModule } from './recoder-module.ts'

/** How hard to look for better matches than the layer has. */
export type RecodingEffort = {
  /** Candidates looked at in a search. */
  readonly tries: number
  /** Matches shorter than this are searched for longer ones; 0: only matches that are lost are. */
  readonly doubtfulLength: number
}

/** A block grows in one of two builders: that of large files, or that of files that share blocks. */
export type BuilderNumber = 0 | 1

/** What inflate returns, besides the bytes it made. */
export type InflateStatus = 'needs-input' | 'output-is-full' | 'stream-end' | 'bad-stream'

const statuses: readonly InflateStatus[] = [
  'needs-input',
  'output-is-full',
  'stream-end',
  'bad-stream',
]

/** Zeros that the decoder may read after the last byte of the input. */
const slackBytes = 512

export class Recoder {
  readonly #wasm: RecoderExports
  readonly #memory: Buffer
  readonly #inputStart: number
  readonly #capacity: number
  /** Input that is not used yet, as addresses. */
  #from: number
  #to: number
  /** Bytes of the archive before the chunk that was inflated last. */
  #before = 0
  #chunkStart = 0
  #chunkBytes = 0

  /** @param blockSize A power of two, up to 1 MiB. */
  constructor(module: RecoderModule, blockSize: number, effort: RecodingEffort) {
    this.#wasm = instantiateRecoder(module)
    this.#wasm.begin(blockSize, effort.tries, effort.doubtfulLength)
    // it grows in begin only, so that views stay good
    this.#memory = Buffer.from(this.#wasm.memory.buffer)
    this.#inputStart = this.#wasm.inputStart()
    this.#capacity = this.#wasm.inputCapacity()
    this.#from = this.#inputStart
    this.#to = this.#inputStart
  }

  /** What has been fed and not been used; good until the next call. */
  get input(): Buffer {
    return this.#memory.subarray(this.#from, this.#to)
  }

  /** Takes as much as there is room for. @returns how much that is; more after input was used. */
  feed(bytes: Uint8Array): number {
    this.#memory.copy(this.#memory, this.#inputStart, this.#from, this.#to)
    this.#to -= this.#from - this.#inputStart
    this.#from = this.#inputStart
    const count = Math.min(bytes.length, this.#inputStart + this.#capacity - this.#to)
    this.#memory.set(count === bytes.length ? bytes : bytes.subarray(0, count), this.#to)
    this.#to += count
    return count
  }

  /** Passes over input. */
  skip(count: number): void {
    this.#from += count
  }

  /** What follows in the input is a deflate stream. */
  beginStream(): void {
    this.#wasm.beginStream()
  }

  /**
   * Decodes what was fed, as far as the room for output goes.
   * @param isEnd Nothing more will be fed.
   */
  inflate(isEnd: boolean): InflateStatus {
    if (isEnd) this.#memory.fill(0, this.#to, this.#to + slackBytes)
    this.#before += this.#chunkBytes
    const status = statuses[this.#wasm.inflateInto(this.#from, this.#to, isEnd)] ?? 'bad-stream'
    this.#from = this.#wasm.inputPosition()
    this.#chunkStart = this.#wasm.inflatedStart()
    this.#chunkBytes = this.#wasm.inflatedEnd() - this.#chunkStart
    this.#wasm.rewindSequences()
    return status
  }

  /** What the last inflate made; good until the next. */
  get chunk(): Buffer {
    return this.#memory.subarray(this.#chunkStart, this.#chunkStart + this.#chunkBytes)
  }

  /** Appends a part of the chunk to a builder. Parts come in their order. */
  append(builder: BuilderNumber, bytes: Uint8Array): void {
    const position = this.#before + (bytes.byteOffset - this.#chunkStart)
    this.#wasm.appendInflated(builder, bytes.byteOffset, bytes.length, position % 2 ** 32)
  }

  appendZeros(builder: BuilderNumber, count: number): void {
    this.#wasm.appendZeros(builder, count)
  }

  /** The bytes that a builder holds, or held at the mark; good until the next call. */
  built(builder: BuilderNumber, part: BuilderPart = 'whole'): Buffer {
    const start = this.#wasm.builderStart(builder)
    return this.#memory.subarray(
      start,
      start + this.#wasm.builderFilled(builder, part === 'marked'),
    )
  }

  /** Remembers how far a builder is filled. */
  mark(builder: BuilderNumber): void {
    this.#wasm.markBuilder(builder)
  }

  /** Takes away what was appended since the mark. */
  truncate(builder: BuilderNumber): void {
    this.#wasm.truncateBuilder(builder)
  }

  /**
   * Encodes what a builder holds, or what it held at the mark.
   * @returns the zlib stream, good until the next call; undefined when it is no shorter than the bytes.
   */
  encode(builder: BuilderNumber, part: BuilderPart): Buffer | undefined {
    const length = this.#wasm.encodeBlock(builder, part === 'marked')
    const start = this.#wasm.storedStart()
    return length === 0 ? undefined : this.#memory.subarray(start, start + length)
  }

  /** Writes what a builder holds into a buffer, for a BlockEncoder; undefined when it is too small. */
  copyBlock(builder: BuilderNumber, part: BuilderPart, into: Uint8Array): BlockCounts | undefined {
    const isMarked = part === 'marked'
    const wasm = this.#wasm
    const counts = {
      bytes: wasm.builderFilled(builder, isMarked),
      sequences: wasm.sequencesFilled(builder, isMarked),
      extents: wasm.extentsFilled(builder, isMarked),
    }
    const pieces = piecesOf(wasm, builder, counts)
    if (pieces.reduce((sum, { length }) => sum + length, 0) > into.length) return undefined
    let at = 0
    for (const { start, length } of pieces) {
      into.set(this.#memory.subarray(start, start + length), at)
      at += length
    }
    return counts
  }

  /** Takes away what was encoded; what follows the mark is then at the beginning. */
  drop(builder: BuilderNumber, part: BuilderPart): void {
    this.#wasm.dropBlock(builder, part === 'marked')
  }
}

/** The whole of what a builder holds, or what it held at the mark. */
export type BuilderPart = 'whole' | 'marked'

/** What a copied block consists of, one after the other. */
export type BlockCounts = {
  readonly bytes: number
  readonly sequences: number
  readonly extents: number
}

const sequenceBytes = 4
const extentBytes = 8

/** Where the pieces of a block lie in an instance's memory. */
export function piecesOf(
  wasm: RecoderExports,
  builder: BuilderNumber,
  counts: BlockCounts,
): readonly { readonly start: number; readonly length: number }[] {
  return [
    { start: wasm.builderStart(builder), length: counts.bytes },
    { start: wasm.sequencesStart(builder), length: counts.sequences * sequenceBytes },
    { start: wasm.extentsStart(builder), length: counts.extents * extentBytes },
  ]
}
