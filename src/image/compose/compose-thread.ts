/**
 * A composer on a thread of its own: the entries of a large image take half a second of JavaScript, during
 * which this thread goes on to download, to show progress and to hear Ctrl-C.
 */
import type { Worker } from 'node:worker_threads'
import { cancelled } from '../../errors/cancelled.ts'
import { SregistryError } from '../../errors/sregistry-error.ts'
import type { Digest } from '../../registry/digest.ts'
import { createBlockCompressor } from '../../squashfs/block-compressor.ts'
import type { Compression } from '../../squashfs/compression.ts'
import { LinkedTables } from '../../squashfs/linked-tables.ts'
import { startThread } from '../own-thread.ts'
import { unpackFailure } from '../thread-failure.ts'
import type {
  ComposeCall,
  ComposeResult,
  FromComposeThread,
  ToComposeThread,
} from './compose-messages.ts'
import type { ComposeOptions, ComposeOrder, Composer, CopyPlan } from './composer.ts'
import { optimiseAsUsual } from './late-optimising.ts'
import type { TableBlocks } from './remote-tables.ts'

type Waiting = {
  readonly resolve: (result: ComposeResult) => void
  readonly reject: (error: unknown) => void
}

/** A thread that waits for an image to compose. Who starts one gives it to a `ComposeThread`, or ends it. */
export function startComposing(): Worker {
  const worker = startThread('compose', {})
  // one that has failed before it was given anything to do is not used
  worker.on('error', () => undefined)
  // it has set the whole process to that (compose-worker.ts), also where it was never given an image
  worker.once('exit', optimiseAsUsual)
  return worker
}

export type ComposeThreadOptions = {
  /** One that has been started already. */
  readonly worker?: Worker | undefined
  /** Layers that the image probably begins with: read and merged before they are asked for. */
  readonly expected: readonly string[]
  readonly onNote: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

export class ComposeThread implements Composer {
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #signal: AbortSignal | undefined
  readonly #stop = () => this.#end(cancelled('composing the image', this.#signal?.reason))
  readonly #compression: Compression
  /** Those that are being written. */
  #tables: LinkedTables | undefined
  #calls = 0
  #failure: { readonly error: unknown } | undefined

  constructor(options: ComposeOptions, { worker, expected, onNote, signal }: ComposeThreadOptions) {
    const isAlive = worker !== undefined && worker.threadId >= 0
    this.#worker = isAlive ? worker : startComposing()
    this.#compression = options.parameters.compression
    this.#worker.on('message', (message: FromComposeThread) => {
      if (message.kind === 'note') onNote(message.text)
      else if (message.kind === 'blocks') this.#store(message)
      else this.#hear(message)
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () =>
      this.#end(new SregistryError('INTERNAL', 'the composing thread ended without a result')),
    )
    this.#tell({ kind: 'begin', options, expected })
    this.#signal = signal
    signal?.addEventListener('abort', this.#stop, { once: true })
    if (signal?.aborted) this.#stop()
  }

  read(path: string): Promise<Digest> {
    return this.#call<Digest>({ method: 'read', path })
  }

  layOut(order: ComposeOrder): Promise<CopyPlan> {
    return this.#call<CopyPlan>({ method: 'layOut', order })
  }

  write(): Promise<number> {
    return this.#call<number>({ method: 'write' })
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#stop)
    this.#end(cancelled('composing the image'))
    await this.#worker.terminate()
  }

  /** Every method has its own kind of result. */
  #call<T extends ComposeResult>(wanted: ComposeCall): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error)
    const call = this.#calls++
    this.#tell({ kind: 'call', call, wanted })
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (result: ComposeResult) => void, reject })
    })
  }

  #tell(message: ToComposeThread): void {
    this.#worker.postMessage(message)
  }

  /** Compresses what the thread has written of the tables. */
  #store({ blocks, rootReference }: TableBlocks): void {
    try {
      this.#tables ??= new LinkedTables(createBlockCompressor(this.#compression))
      for (const { table, bytes, references } of blocks) {
        this.#tables.store(table, bytes, references)
      }
      if (rootReference === undefined) return
      this.#tell({ kind: 'stored', tables: this.#tables.finish(rootReference) })
      this.#tables = undefined
    } catch (error) {
      this.#end(error)
    }
  }

  #hear(message: Extract<FromComposeThread, { call: number }>): void {
    const waiting = this.#waiting.get(message.call)
    this.#waiting.delete(message.call)
    if (message.kind === 'done') waiting?.resolve(message.result)
    else waiting?.reject(unpackFailure(message.failure))
  }

  /** Ends all waits with an error. */
  #end(error: unknown): void {
    this.#failure ??= { error }
    for (const { reject } of this.#waiting.values()) reject(this.#failure.error)
    this.#waiting.clear()
  }
}
