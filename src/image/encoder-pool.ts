/**
 * Threads that encode blocks for the packing threads: a layer is decoded by one thread alone, and the
 * largest would otherwise be all that works at the end.
 */
import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import { recoderModule } from '../deflate/recoder-module.ts'
import type { EncoderThreadData, ToEncoderThread } from './encoder-messages.ts'
import { startThread } from './own-thread.ts'
import type { PackingParameters } from './packing-parameters.ts'
import { recodingEffort } from './recoding-effort.ts'

/** More do not help: decoding sets the pace then. */
const maxEncoders = 6

export class EncoderPool {
  readonly #threads: Worker[] = []
  #failure: { readonly error: unknown } | undefined
  readonly #onFailure: ((error: unknown) => void)[] = []

  /** @param count Default: the processors but one, which a packing thread keeps busy. */
  constructor(
    { compression, blockSize }: PackingParameters,
    count: number = Math.min(maxEncoders, availableParallelism() - 1),
  ) {
    const effort = recodingEffort(compression)
    if (effort === undefined) return
    const workerData: EncoderThreadData = { recoder: recoderModule(), blockSize, effort }
    while (this.#threads.length < count && this.#start(workerData)) {
      // as many as can be had
    }
  }

  #start(workerData: EncoderThreadData): boolean {
    try {
      const thread = startThread('encode', workerData)
      thread.on('error', (error) => this.#fail(error))
      this.#threads.push(thread)
      return true
    } catch {
      // packing threads encode what nobody takes from them
      return false
    }
  }

  /** A port to each thread, for one packing thread. */
  connect(): MessagePort[] {
    return this.#threads.map((thread) => {
      const { port1, port2 } = new MessageChannel()
      const message: ToEncoderThread = { port: port2 }
      thread.postMessage(message, [port2])
      return port1
    })
  }

  /** Calls back when a thread has failed: what was sent to it will not be answered. */
  onFailure(callback: (error: unknown) => void): void {
    this.#onFailure.push(callback)
    if (this.#failure !== undefined) callback(this.#failure.error)
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }

  #fail(error: unknown): void {
    this.#failure ??= { error }
    for (const callback of this.#onFailure) callback(error)
  }
}
