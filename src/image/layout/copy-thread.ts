/**
 * Copies ranges of packed layers on a thread of its own: one system call after the other, whatever the main
 * thread is busy with. Copying 600 MB beside the encoding of the tables took 0.6 to 0.9 s on the thread pool,
 * whose every chunk waits for a turn of the main thread. Here it takes 0.2 to 0.4 s, and the fsync after it
 * finds little or nothing left to do.
 */
import type { FileHandle } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import { cancelled } from '../../errors/cancelled.ts'
import { SregistryError } from '../../errors/sregistry-error.ts'
import { startThread } from '../own-thread.ts'
import type { CopyMessage, CopyOrder, CopyOutcome } from './copy-messages.ts'
import type { CopiedRange } from './image-layout.ts'
import { type CopyOptions, cutShort, type LayerFiles } from './range-copy.ts'

/** Less than this is copied before a thread has started. */
export const threadFromBytes: number = 64 * 1024 * 1024

/** A thread that waits for something to copy. Who starts one gives it to a `CopyThread`, or ends it. */
export function startCopying(): Worker {
  const worker = startThread('copy', {})
  // one that has failed before it was given anything to do is not used
  worker.on('error', () => undefined)
  return worker
}

/** A thread that copies once. Whoever has one closes it; closing twice is harmless. */
export class CopyThread {
  readonly #layers: LayerFiles
  readonly #output: FileHandle
  readonly #stop = new Int32Array(new SharedArrayBuffer(4))
  readonly #worker: Worker
  readonly #ended: Promise<unknown>

  /**
   * @param started One that has been started already. Starting takes some 30 ms, which pass beside the work of
   *   this thread.
   */
  constructor(layers: LayerFiles, output: FileHandle, started?: Worker) {
    this.#layers = layers
    this.#output = output
    const isAlive = started !== undefined && started.threadId >= 0
    this.#worker = isAlive ? started : startCopying()
    this.#ended = new Promise((resolve) => {
      this.#worker.once('error', resolve)
      this.#worker.once('exit', () =>
        resolve(new SregistryError('INTERNAL', 'the copying thread ended without a result')),
      )
    })
  }

  /** As `copyRanges`; nothing is written any more when it returns. */
  async copy(ranges: readonly CopiedRange[], options: CopyOptions): Promise<void> {
    const { signal } = options
    const stop = () => this.#requestStop()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted) stop()
    try {
      const outcome = await this.#run(ranges, options)
      if (outcome.type === 'stopped') throw cancelled('writing the image', signal?.reason)
      if (outcome.type === 'cut') throw cutShort(this.#layers.paths[outcome.source])
      if (outcome.type === 'failed') throw Object.assign(new Error(outcome.message), outcome.system)
    } finally {
      signal?.removeEventListener('abort', stop)
    }
  }

  async close(): Promise<void> {
    this.#requestStop()
    this.#worker.postMessage(undefined)
    await this.#ended
  }

  #requestStop(): void {
    Atomics.store(this.#stop, 0, 1)
  }

  #run(ranges: readonly CopiedRange[], { base, onBytes }: CopyOptions): Promise<CopyOutcome> {
    return new Promise((resolve, reject) => {
      void this.#ended.then(reject)
      this.#worker.on('message', (message: CopyMessage) => {
        if (message.type !== 'copied') return resolve(message)
        onBytes?.(message.bytes)
      })
      this.#worker.postMessage({
        ranges: ranges.map((range) => ({ ...range, target: base + range.target })),
        sources: this.#layers.descriptors,
        output: this.#output.fd,
        stop: this.#stop,
      } satisfies CopyOrder)
    })
  }
}
