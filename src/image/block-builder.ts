/**
 * Where the bytes of a block come together, one block at a time, and how it is stored: compressed on
 * the thread pool (here), or recoded from the layer's own stream (recoded-block-builder.ts).
 */
import type { BuilderPart } from '../deflate/recoder.ts'
import type { BlockStore } from './block-store.ts'

/** Told once the place of a block is known, in the order of the blocks. */
export type OnBlockStored = (sizeWord: number, position: number) => void

export type BlockBuilder = {
  /** What it holds; a view that is good until the next call. */
  readonly bytes: Buffer
  /** Parts of what the layer's decoder made come in their order, once each. */
  append(bytes: Buffer): void
  /** Zeros that the archive leaves out. */
  appendZeros(count: number): void
  /** Remembers how much it holds. */
  mark(): void
  /** Takes away what was appended since the mark. */
  truncate(): void
  /** Has a part stored and takes it away; the rest begins the next block. */
  store(part: BuilderPart, onStored: OnBlockStored): void
}

export type BlockBuilders = {
  /** For files with blocks of their own; no more than a block is appended. */
  readonly large: BlockBuilder
  /** For files that share blocks: the last may reach beyond one block, by less than another. */
  readonly small: BlockBuilder
}

export function poolBuilders(store: BlockStore, blockSize: number): BlockBuilders {
  return {
    large: new PoolBuilder(store, new BlockBuffers(blockSize)),
    small: new PoolBuilder(store, new BlockBuffers(2 * blockSize)),
  }
}

/** The first bytes are held as a view, copied only when others join them. */
class PoolBuilder implements BlockBuilder {
  readonly #store: BlockStore
  readonly #buffers: BlockBuffers
  #view: Buffer = Buffer.alloc(0)
  #own: Buffer | undefined
  #filled = 0
  #marked = 0

  constructor(store: BlockStore, buffers: BlockBuffers) {
    this.#store = store
    this.#buffers = buffers
  }

  get bytes(): Buffer {
    return (this.#own ?? this.#view).subarray(0, this.#filled)
  }

  append(bytes: Buffer): void {
    if (this.#filled === 0) this.#view = bytes
    else bytes.copy(this.#ownBuffer(), this.#filled)
    this.#filled += bytes.length
  }

  appendZeros(count: number): void {
    this.#ownBuffer().fill(0, this.#filled, this.#filled + count)
    this.#filled += count
  }

  mark(): void {
    this.#marked = this.#filled
  }

  truncate(): void {
    this.#filled = this.#marked
    if (this.#filled === 0) this.#giveBack(this.#own)
  }

  store(part: BuilderPart, onStored: OnBlockStored): void {
    const { bytes } = this
    const own = this.#own
    const block = part === 'whole' ? bytes : bytes.subarray(0, this.#marked)
    this.#own = undefined
    this.#filled = 0
    this.#marked = 0
    const rest = bytes.subarray(block.length)
    if (rest.length > 0) {
      rest.copy(this.#ownBuffer())
      this.#filled = rest.length
    }
    this.#store.submit(block, (stored, sizeWord, position) => {
      // a block that is stored raw is still to be written
      if (own !== undefined && stored !== block) this.#buffers.giveBack(own)
      onStored(sizeWord, position)
    })
  }

  #ownBuffer(): Buffer {
    if (this.#own !== undefined) return this.#own
    this.#own = this.#buffers.take()
    this.#view.copy(this.#own, 0, 0, this.#filled)
    return this.#own
  }

  #giveBack(own: Buffer | undefined): void {
    if (own !== undefined) this.#buffers.giveBack(own)
    this.#own = undefined
  }
}

/** Buffers of one size, used again: what is allocated anew for each block soon asks for collections. */
class BlockBuffers {
  readonly #free: ArrayBufferLike[] = []
  readonly #sizeBytes: number

  constructor(sizeBytes: number) {
    this.#sizeBytes = sizeBytes
  }

  take(): Buffer {
    const buffer = this.#free.pop()
    return buffer === undefined ? Buffer.allocUnsafeSlow(this.#sizeBytes) : Buffer.from(buffer)
  }

  giveBack(buffer: Buffer): void {
    this.#free.push(buffer.buffer)
  }
}
