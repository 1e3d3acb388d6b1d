/** Copying past the page cache: one window is read while another is on its way to the disk. */
import type { FileHandle } from 'node:fs/promises'
import { throwIfCancelled } from '../../errors/cancelled.ts'
import { type CopyWindow, windowsOf } from './copy-windows.ts'
import { DirectOutput, pagedMemory } from './direct-output.ts'
import type { CopiedRange } from './image-layout.ts'
import type { RangeCopier } from './range-copier.ts'
import type { CopyOptions, LayerFiles } from './range-copy.ts'

const windowBytes = 4 * 1024 * 1024
const lanes = 2

export class DirectCopier implements RangeCopier {
  readonly #layers: LayerFiles
  readonly #output: DirectOutput
  readonly #memory: Uint8Array

  private constructor(layers: LayerFiles, output: DirectOutput, memory: Uint8Array) {
    this.#layers = layers
    this.#output = output
    this.#memory = memory
  }

  /** @returns undefined where the output cannot be written past the cache. */
  static async start(layers: LayerFiles, output: FileHandle): Promise<DirectCopier | undefined> {
    const memory = pagedMemory(lanes * windowBytes)
    const direct = memory && (await DirectOutput.open(output))
    return direct && new DirectCopier(layers, direct, memory)
  }

  async copy(
    ranges: readonly CopiedRange[],
    { base, onBytes, signal }: CopyOptions,
  ): Promise<void> {
    const placed = ranges.map((range) => ({ ...range, target: base + range.target }))
    const windows = windowsOf(placed, windowBytes)
    const progress = new Progress(onBytes)
    const running = Array.from({ length: lanes }, async (_, lane) => {
      const buffer = this.#memory.subarray(lane * windowBytes, (lane + 1) * windowBytes)
      // a lane that fails ends the windows of the other
      for (const window of windows) {
        throwIfCancelled(signal, 'writing the image')
        const number = progress.begin(window)
        await this.#copyWindow(window, buffer.subarray(0, window.sizeBytes))
        progress.finish(number)
      }
    })
    for (const outcome of await Promise.allSettled(running)) {
      if (outcome.status === 'rejected') throw outcome.reason
    }
  }

  async close(): Promise<void> {
    await this.#output.close()
  }

  async #copyWindow({ pieces, target }: CopyWindow, bytes: Uint8Array): Promise<void> {
    let filled = 0
    for (const { source, position, sizeBytes } of pieces) {
      await this.#layers.read(source, bytes.subarray(filled, filled + sizeBytes), position)
      filled += sizeBytes
    }
    await this.#output.write(bytes, target)
  }
}

/** Windows are finished in any order, and told in theirs: what was told is copied from the begin on. */
class Progress {
  readonly #onBytes: ((bytes: number) => void) | undefined
  readonly #sizes: number[] = []
  readonly #finished = new Set<number>()
  #told = 0

  constructor(onBytes: ((bytes: number) => void) | undefined) {
    this.#onBytes = onBytes
  }

  begin({ sizeBytes }: CopyWindow): number {
    return this.#sizes.push(sizeBytes) - 1
  }

  finish(number: number): void {
    this.#finished.add(number)
    for (; this.#finished.delete(this.#told); this.#told += 1) {
      this.#onBytes?.(this.#sizes[this.#told] ?? 0)
    }
  }
}
