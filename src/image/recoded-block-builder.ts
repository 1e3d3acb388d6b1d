/**
 * Blocks made of the layer's own deflate stream (deflate/recoder.ts). Some are also compressed anew, to see
 * whether the layer's stream is worth taking over: one that was written in haste, or not compressed at
 * all, is not.
 */
import type { BuilderNumber, BuilderPart, Recoder } from '../deflate/recoder.ts'
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import { blockRaw } from '../squashfs/format.ts'
import type { BlockBuilder, BlockBuilders, OnBlockStored } from './block-builder.ts'
import type { BlockStore, OnStored } from './block-store.ts'
import type { RemoteEncoders } from './remote-encoders.ts'

export type RecodedBuildersOptions = {
  readonly store: BlockStore
  readonly compressor: BlockCompressor
  /** Threads that encode some of the blocks. */
  readonly remote?: RemoteEncoders | undefined
}

export function recodedBuilders(recoder: Recoder, options: RecodedBuildersOptions): BlockBuilders {
  const judge = new StreamJudge(options.compressor)
  return {
    large: new RecodedBuilder(recoder, 0, judge, options),
    small: new RecodedBuilder(recoder, 1, judge, options),
  }
}

class RecodedBuilder implements BlockBuilder {
  readonly #recoder: Recoder
  readonly #number: BuilderNumber
  readonly #store: BlockStore
  readonly #judge: StreamJudge
  readonly #remote: RemoteEncoders | undefined

  constructor(
    recoder: Recoder,
    number: BuilderNumber,
    judge: StreamJudge,
    { store, remote }: RecodedBuildersOptions,
  ) {
    this.#recoder = recoder
    this.#number = number
    this.#store = store
    this.#judge = judge
    this.#remote = remote
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

  store(part: BuilderPart, onStored: OnBlockStored): void {
    const bytes = this.#recoder.built(this.#number, part)
    const isDue = this.#judge.isDue(bytes.length)
    if (isDue) this.#storeSample(bytes, part, onStored)
    else if (this.#judge.isWorthwhile) this.#storeRecoded(bytes, part, onStored)
    else this.#store.submit(Buffer.from(bytes), told(onStored))
    this.#recoder.drop(this.#number, part)
  }

  #storeSample(bytes: Buffer, part: BuilderPart, onStored: OnBlockStored): void {
    const recoded = this.#recoder.encode(this.#number, part) ?? bytes
    const best = this.#judge.compare(bytes, recoded)
    put(this.#store.reserve(told(onStored)), best.length < bytes.length ? best : undefined, bytes)
  }

  #storeRecoded(bytes: Buffer, part: BuilderPart, onStored: OnBlockStored): void {
    const reserved = this.#store.reserve(told(onStored))
    const isOffered = this.#remote?.offer(
      (into) => this.#recoder.copyBlock(this.#number, part, into),
      (stored, block) => put(reserved, stored, block),
    )
    if (!isOffered) put(reserved, this.#recoder.encode(this.#number, part), bytes)
  }
}

type Reserved = ReturnType<BlockStore['reserve']>

/** A block whose stored form would be no shorter is stored raw. */
function put(reserved: Reserved, stored: Uint8Array | undefined, bytes: Uint8Array): void {
  if (stored === undefined) reserved(bytes, bytes.length | blockRaw)
  else reserved(stored, stored.length)
}

function told(onStored: OnBlockStored): OnStored {
  return (_, sizeWord, position) => onStored(sizeWord, position)
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
