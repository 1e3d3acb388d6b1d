/** Encodes blocks that a Recoder in another thread has decoded: the same bytes as there. */
import { type BlockCounts, piecesOf, type RecodingEffort } from './recoder.ts'
import { instantiateRecoder, type RecoderExports, type RecoderModule } from './recoder-module.ts'

export class BlockEncoder {
  readonly #wasm: RecoderExports
  readonly #memory: Buffer

  constructor(module: RecoderModule, blockSize: number, effort: RecodingEffort) {
    this.#wasm = instantiateRecoder(module)
    this.#wasm.begin(blockSize, effort.tries, effort.doubtfulLength)
    this.#memory = Buffer.from(this.#wasm.memory.buffer)
  }

  /**
   * @param block As Recoder.copyBlock wrote it.
   * @returns the zlib stream, good until the next call; undefined when it is no shorter than the bytes.
   */
  encode(block: Uint8Array, counts: BlockCounts): Buffer | undefined {
    let at = 0
    for (const { start, length } of piecesOf(this.#wasm, 0, counts)) {
      this.#memory.set(block.subarray(at, at + length), start)
      at += length
    }
    this.#wasm.setBuilder(0, counts.bytes, counts.sequences, counts.extents)
    const length = this.#wasm.encodeBlock(0, false)
    const start = this.#wasm.storedStart()
    return length === 0 ? undefined : this.#memory.subarray(start, start + length)
  }
}
