/**
 * Copies what a new image will probably begin with while it is still being found out: the ranges that
 * the repository's last image had of the layers both have. What turns out otherwise is written over.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import { type Digest, formatDigest } from '../../registry/digest.ts'
import { CopyThread, threadFromBytes } from './copy-thread.ts'
import { type CopiedRange, rangesBytes } from './image-layout.ts'
import { LayerFiles } from './range-copy.ts'
import type { RememberedLayout } from './remembered-layout.ts'

export type AheadOptions = {
  readonly output: FileHandle
  /** Where the squashfs image begins in the output. */
  readonly base: number
  /** One that waits for something to copy. */
  readonly thread?: Worker | undefined
}

/** What is left to be copied once the layout is known, and the end of what was begun. */
export type Confirmed = {
  readonly remaining: readonly CopiedRange[]
  readonly confirmedBytes: number
  /** Rejects as `CopyThread.copy` does. */
  readonly copied: Promise<void>
}

/** Begun copying. Whoever has one closes it before the output is closed; twice is harmless. */
export class CopyAhead {
  readonly #ranges: readonly CopiedRange[]
  readonly #files: LayerFiles
  readonly #thread: CopyThread
  readonly #stop = new AbortController()
  readonly #copied: Promise<void>
  #copiedBytes = 0

  private constructor(ranges: readonly CopiedRange[], files: LayerFiles, options: AheadOptions) {
    this.#ranges = ranges
    this.#files = files
    this.#thread = new CopyThread(files, options.output, options.thread)
    this.#copied = this.#thread.copy(ranges, {
      base: options.base,
      signal: this.#stop.signal,
      onBytes: (bytes) => {
        this.#copiedBytes += bytes
      },
    })
    // whoever waits for it hears of a failure
    this.#copied.catch(() => undefined)
  }

  /**
   * @param ranges Of the layers that both images begin with.
   * @param paths Where those layers are.
   * @returns undefined when it cannot be done: what is in the way is met again, or not, when it must be.
   */
  static async start(
    ranges: readonly CopiedRange[],
    paths: readonly string[],
    options: AheadOptions,
  ): Promise<CopyAhead | undefined> {
    const files = new LayerFiles(paths)
    try {
      await files.open()
      return new CopyAhead(ranges, files, options)
    } catch {
      await files.close()
      return undefined
    }
  }

  /**
   * Told where everything goes. What was begun goes on if all of it is right; otherwise it is stopped, and
   * nothing of it is written any more when this returns.
   * @param files The layers of the image: a damaged one may have been packed anew since.
   */
  async confirm(
    ranges: readonly CopiedRange[],
    files: LayerFiles,
    signal?: AbortSignal,
  ): Promise<Confirmed> {
    const same = await this.#files.sameAs(files)
    const right = commonBytes(this.#ranges, ranges, same)
    if (right === rangesBytes(this.#ranges)) {
      signal?.addEventListener('abort', () => this.#stop.abort(signal.reason), { once: true })
      if (signal?.aborted) this.#stop.abort(signal.reason)
      const remaining = withoutFirst(ranges, right)
      return { remaining, confirmedBytes: right, copied: this.#copied }
    }
    await this.close()
    const confirmedBytes = Math.min(right, this.#copiedBytes)
    const remaining = withoutFirst(ranges, confirmedBytes)
    return { remaining, confirmedBytes, copied: Promise.resolve() }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#copied.catch(() => undefined)
    await this.#thread.close()
    await this.#files.close()
  }
}

export function isWorthCopyingAhead(ranges: readonly CopiedRange[]): boolean {
  return rangesBytes(ranges) >= threadFromBytes
}

/** The first ranges, up to one of another layer than the first so many. */
export function rangesWithin(
  ranges: readonly CopiedRange[],
  layers: number,
): readonly CopiedRange[] {
  const end = ranges.findIndex(({ source }) => source >= layers)
  return end < 0 ? ranges : ranges.slice(0, end)
}

/** With how many layers of the remembered image another one begins. */
export function sharedLayers({ layers }: RememberedLayout, others: readonly Digest[]): number {
  const names = others.map(formatDigest)
  const first = layers.findIndex((digest, index) => digest !== names[index])
  return first < 0 ? layers.length : first
}

/** How many bytes two lists of ranges copy alike, of the first so many sources, before they part. */
function commonBytes(
  a: readonly CopiedRange[],
  b: readonly CopiedRange[],
  sources: number,
): number {
  let common = 0
  for (const [index, one] of a.entries()) {
    const other = b[index]
    const isAlike =
      one.source === other?.source &&
      one.source < sources &&
      one.position === other.position &&
      one.target === other.target
    if (!isAlike) break
    common += Math.min(one.sizeBytes, other.sizeBytes)
    if (one.sizeBytes !== other.sizeBytes) break
  }
  return common
}

/** Ranges less the first bytes that they copy. */
function withoutFirst(ranges: readonly CopiedRange[], bytes: number): readonly CopiedRange[] {
  let left = bytes
  return ranges.flatMap((range) => {
    const { source, position, target } = range
    const done = Math.min(left, range.sizeBytes)
    left -= done
    const sizeBytes = range.sizeBytes - done
    if (sizeBytes === 0) return []
    return [{ source, position: position + done, sizeBytes, target: target + done }]
  })
}
