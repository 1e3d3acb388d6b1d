/** How the copied ranges of an image come into it: begun ahead, by a thread, or, when few, on the pool. */
import type { FileHandle } from 'node:fs/promises'
import type { CopyAhead } from './copy-ahead.ts'
import { CopyThread, threadFromBytes } from './copy-thread.ts'
import { type CopiedRange, rangesBytes } from './image-layout.ts'
import { type CopyOptions, copyRanges, type LayerFiles } from './range-copy.ts'

/** Copies once. Whoever starts one closes it; closing twice is harmless. */
export class ImageCopier {
  readonly #files: LayerFiles
  readonly #output: FileHandle
  readonly #ahead: CopyAhead | undefined
  #thread: CopyThread | undefined

  private constructor(files: LayerFiles, output: FileHandle, ahead: CopyAhead | undefined) {
    this.#files = files
    this.#output = output
    this.#ahead = ahead
  }

  /** Where nothing was copied ahead, a thread is started beside the work of laying out the image. */
  static async start(
    files: LayerFiles,
    output: FileHandle,
    ahead: CopyAhead | undefined,
  ): Promise<ImageCopier> {
    const copier = new ImageCopier(files, output, ahead)
    if (ahead === undefined) copier.#useThread(await files.sizeBytes())
    return copier
  }

  /**
   * Begins to copy what is not being copied already. When this returns, nothing is written any more
   * beside these ranges; `copied` ends as `CopyThread.copy` does.
   */
  async begin(
    ranges: readonly CopiedRange[],
    options: CopyOptions,
  ): Promise<{ readonly copied: Promise<void> }> {
    const confirmed = await this.#ahead?.confirm(ranges, this.#files, options.signal)
    const remaining = confirmed?.remaining ?? ranges
    this.#useThread(rangesBytes(remaining))
    const rest =
      this.#thread?.copy(remaining, options) ??
      copyRanges(this.#files, this.#output, remaining, options)
    const begun = confirmed?.copied.then(() => options.onBytes?.(confirmed.confirmedBytes))
    return { copied: Promise.all([rest, begun]).then(() => undefined) }
  }

  async close(): Promise<void> {
    await this.#thread?.close()
  }

  #useThread(bytes: number): void {
    if (bytes >= threadFromBytes) this.#thread ??= new CopyThread(this.#files, this.#output)
  }
}
