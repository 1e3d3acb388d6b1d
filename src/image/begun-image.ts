/**
 * An image that is begun as soon as its layers are named: what the repository's last image began with is copied
 * and merged while the config and the layers that are new are on their way.
 */
import type { Descriptor } from '../registry/descriptor.ts'
import type { AtomicFile } from '../storage/atomic-file.ts'
import { ComposeThread } from './compose/compose-thread.ts'
import type { ComposeOptions } from './compose/composer.ts'
import type { ImageThreads } from './image-threads.ts'
import type { LayoutMemory } from './layer-store.ts'
import { CopyAhead, isWorthCopyingAhead, rangesWithin, sharedLayers } from './layout/copy-ahead.ts'

export type BeginOptions = {
  readonly compose: ComposeOptions
  /** `HOST/library/busybox` */
  readonly repository: string
  /** Of the image, lowest first. */
  readonly layers: readonly Descriptor[]
  readonly memory: LayoutMemory
  /** Threads that wait for an image. */
  readonly threads?: ImageThreads | undefined
  readonly onNote: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

/** Whoever begins one closes it before the output is closed; twice is harmless. */
export class BegunImage {
  /** Undefined where nothing is known that would be worth beginning. */
  readonly composer: ComposeThread | undefined
  /** Undefined where nothing can be copied yet. */
  readonly ahead: CopyAhead | undefined

  private constructor(composer?: ComposeThread, ahead?: CopyAhead) {
    this.composer = composer
    this.ahead = ahead
  }

  static async begin(output: AtomicFile, options: BeginOptions): Promise<BegunImage> {
    const { compose, memory, repository, threads, onNote, signal } = options
    const remembered = await memory.recall(repository)
    if (remembered === undefined) return new BegunImage()
    const layers = options.layers.map(({ digest }) => digest)
    const paths = await memory.findFirst(layers.slice(0, sharedLayers(remembered, layers)))
    const ranges = rangesWithin(remembered.ranges, paths.length)
    if (!isWorthCopyingAhead(ranges) || signal?.aborted) return new BegunImage()
    const composer = new ComposeThread(compose, {
      worker: threads?.compose,
      expected: paths,
      onNote,
      signal,
    })
    const ahead = await CopyAhead.start(ranges, paths, {
      output: output.handle,
      base: compose.base,
      thread: threads?.copy,
    })
    return new BegunImage(composer, ahead)
  }

  /** Nothing is written any more when this returns. */
  async close(): Promise<void> {
    try {
      await this.ahead?.close()
    } finally {
      await this.composer?.close()
    }
  }
}
