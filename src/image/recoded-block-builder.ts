/**
 * Blocks made of the layer's own deflate stream (deflate/recoder.ts). Some are also compressed anew, to see
 * whether the layer's stream is worth taking over: one that was written in haste, or not compressed at
 * all, is not.
 */
import type { BuilderNumber, Recoder } from '../deflate/recoder.ts'
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import { blockRaw } from '../squashfs/format.ts'
import type { BlockBuilder, BlockBuilders, BuiltPart, OnBlockStored } from './block-builder.ts'
import type { BlockStore } from './block-store.ts'

export function recodedBuilders(
  recoder: Recoder,
  store: BlockStore,
  compressor: BlockCompressor,
): BlockBuilders {
  const judge = new StreamJudge(compressor)
  return {
    large: new RecodedBuilder(recoder, 0, store, judge),
    small: new RecodedBuilder(recoder, 1, store, judge),
  }
}

class RecodedBuilder implements BlockBuilder {
  readonly #recoder: Recoder
  readonly #number: BuilderNumber
  readonly #store: BlockStore
  readonly #judge: StreamJudge

  constructor(recoder: Recoder, number: BuilderNumber, store: BlockStore, judge: StreamJudge) {
    this.#recoder = recoder
    this.#number = number
    this.#store = store
    this.#judge = judge
  }

  get bytes(): Buffer {
    return this.#recoder.built(this.#number)
  }

  append(bytes: Buffer): void {
    this.#recoder.append(this.#number, bytes)
  }

  appendZeros(count: number): void {
    this.#recoder.appendZeros(this.#number, count)
  }

  mark(): void {
    this.#recoder.mark(this.#number)
  }

  truncate(): void {
    this.#recoder.truncate(this.#number)
  }

  store(part: BuiltPart, onStored: OnBlockStored): void {
    const bytes = this.#recoder.built(this.#number, part)
    const isDue = this.#judge.isDue(bytes.length)
    if (this.#judge.isWorthwhile || isDue) this.#storeRecoded(bytes, part, isDue, onStored)
    else {
      this.#store.submit(Buffer.from(bytes), (_, sizeWord, position) =>
        onStored(sizeWord, position),
      )
    }
    this.#recoder.drop(this.#number, part)
  }

  #storeRecoded(bytes: Buffer, part: BuiltPart, isDue: boolean, onStored: OnBlockStored): void {
    const recoded = this.#recoder.encode(this.#number, part) ?? bytes
    const best = isDue ? this.#judge.compare(bytes, recoded) : recoded
    const isRaw = best.length >= bytes.length
    const sizeWord = isRaw ? bytes.length | blockRaw : best.length
    this.#store.put(isRaw ? bytes : best, sizeWord, (_, word, position) => onStored(word, position))
  }
}

/** Blocks that are compressed anew as well: more at the beginning, then one in this many. */
const sampleDistance = 128
/** Smaller ones tell little. */
const minSampleBytes = 4096
/** Recoded ones may be longer by so much: looking for matches anew costs three times the time. */
const tolerance = 1.02
/** The same while there are few samples. */
const firstTolerance = 1.1
const fewSamples = 4

/** Depends on the blocks and their order alone: the same layer always gets the same answers. */
class StreamJudge {
  /** Whether blocks should be recoded. */
  isWorthwhile = true
  readonly #compressor: BlockCompressor
  #blocks = 0
  #nextSample = 1
  #samples = 0
  #recodedBytes = 0
  #anewBytes = 0

  constructor(compressor: BlockCompressor) {
    this.#compressor = compressor
  }

  /** Counts a block. @returns whether it is a sample. */
  isDue(sizeBytes: number): boolean {
    this.#blocks += 1
    if (this.#blocks < this.#nextSample || sizeBytes < minSampleBytes) return false
    this.#nextSample = this.#blocks + Math.min(this.#blocks, sampleDistance)
    return true
  }

  /** @returns the shorter of the two. */
  compare(bytes: Buffer, recoded: Uint8Array): Uint8Array {
    const anew = this.#compressor.compressSync(bytes)
    this.#samples += 1
    this.#recodedBytes += recoded.length
    this.#anewBytes += anew.length
    const bound = this.#samples < fewSamples ? firstTolerance : tolerance
    this.isWorthwhile = this.#recodedBytes <= bound * this.#anewBytes
    return anew.length < recoded.length ? anew : recoded
  }
}
