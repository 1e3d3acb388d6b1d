/**
 * Packs a layer in a thread of its own, so that layers use all processors while this thread downloads.
 * The same bytes as by writePackedLayer, which is what the thread runs.
 */
import type { Worker } from 'node:worker_threads'
import { recoderModule } from '../deflate/recoder-module.ts'
import { cancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import { countGarbage } from './buffer-garbage.ts'
import { cancellable } from './byte-stream.ts'
import { Change } from './change.ts'
import type { EncoderPool } from './encoder-pool.ts'
import { startThread } from './own-thread.ts'
import type { PackLayerOptions } from './pack-layer.ts'
import type { FromPackThread, PackThreadData, ToPackThread } from './pack-thread-messages.ts'
import { unpackFailure } from './thread-failure.ts'

/** Bytes on their way to the thread. Messages would be copies, garbage of tens of megabytes in each. */
const ringBytes = 1_048_576

export type PackInThreadOptions = Pick<
  PackLayerOptions,
  'path' | 'parameters' | 'diffId' | 'blobDigest' | 'signal'
> & {
  /** Shared by the layers that are packed at the same time. */
  readonly encoders?: EncoderPool | undefined
}

/** @throws {SregistryError} as writePackedLayer; the thread is ended whatever happens. */
export async function packInThread(
  source: AsyncIterable<Uint8Array>,
  options: PackInThreadOptions,
): Promise<void> {
  const thread = new PackThread(options)
  const stop = () => thread.stop(cancelled('packing a layer', options.signal?.reason))
  options.signal?.addEventListener('abort', stop, { once: true })
  try {
    for await (const chunk of cancellable(source, 'packing a layer', options.signal)) {
      if (!(await thread.send(chunk))) break
    }
    await thread.result()
  } finally {
    options.signal?.removeEventListener('abort', stop)
    await thread.close()
  }
}

type Outcome = 'packed' | { readonly error: unknown }

class PackThread {
  readonly #worker: Worker
  #outcome: Outcome | undefined
  readonly #ring = new Uint8Array(new SharedArrayBuffer(ringBytes))
  #writeAt = 0
  #pendingBytes = 0
  readonly #change = new Change()

  constructor({ path, parameters, diffId, blobDigest, encoders }: PackInThreadOptions) {
    const ports = encoders?.connect() ?? []
    encoders?.onFailure((error) => this.stop(error))
    const workerData: PackThreadData = {
      path,
      parameters,
      diffId,
      blobDigest,
      recoder: recoderModule(),
      ring: this.#ring.buffer,
      encoders: ports,
    }
    this.#worker = startThread('pack', workerData, ports)
    this.#worker.on('message', (message: FromPackThread) => this.#hear(message))
    this.#worker.on('error', (error) => this.stop(error))
    this.#worker.on('exit', () =>
      this.stop(new SregistryError('INTERNAL', 'a packing thread ended without a result')),
    )
  }

  /** Hands bytes over. @returns false when the thread needs nothing more: see result. */
  async send(chunk: Uint8Array): Promise<boolean> {
    for (let rest = chunk; rest.length > 0; ) {
      while (this.#outcome === undefined && this.#pendingBytes === ringBytes)
        await this.#change.next()
      if (this.#outcome !== undefined) return false
      const room = Math.min(ringBytes - this.#pendingBytes, ringBytes - this.#writeAt)
      const part = rest.subarray(0, room)
      this.#ring.set(part, this.#writeAt)
      this.#writeAt = (this.#writeAt + part.length) % ringBytes
      this.#pendingBytes += part.length
      this.#post(part.length)
      rest = rest.subarray(part.length)
    }
    countGarbage(chunk.length)
    return true
  }

  /** @throws what packing failed with. */
  async result(): Promise<void> {
    this.#post('end')
    while (this.#outcome === undefined) await this.#change.next()
    if (this.#outcome !== 'packed') throw this.#outcome.error
  }

  /** Ends all waits with an error, unless there is a result. */
  stop(error: unknown): void {
    this.#settle({ error })
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }

  #post(message: ToPackThread): void {
    this.#worker.postMessage(message)
  }

  #hear(message: FromPackThread): void {
    if (message.kind === 'packed') this.#settle('packed')
    else if (message.kind === 'failed') this.#settle({ error: unpackFailure(message.failure) })
    else {
      this.#pendingBytes -= message.bytes
      this.#change.notify()
    }
  }

  #settle(outcome: Outcome): void {
    this.#outcome ??= outcome
    this.#change.notify()
  }
}
