/**
 * A composer on a thread of its own: the entries of a large image take half a second of JavaScript, during
 * which this thread goes on to download, to show progress and to hear Ctrl-C.
 */
import type { Worker } from 'node:worker_threads'
import { cancelled } from '../../errors/cancelled.ts'
import { SregistryError } from '../../errors/sregistry-error.ts'
import type { Digest } from '../../registry/digest.ts'
import { startThread } from '../own-thread.ts'
import { unpackFailure } from '../thread-failure.ts'
import type {
  ComposeCall,
  ComposeResult,
  ComposeThreadData,
  FromComposeThread,
  ToComposeThread,
} from './compose-messages.ts'
import type { ComposeOptions, Composer, CopyPlan } from './composer.ts'

type Waiting = {
  readonly resolve: (result: ComposeResult) => void
  readonly reject: (error: unknown) => void
}

export type ComposeThreadOptions = {
  /** Layers that the image probably begins with: read and merged before they are asked for. */
  readonly expected: readonly string[]
  readonly onNote: (text: string) => void
  readonly signal?: AbortSignal | undefined
}

export class ComposeThread implements Composer {
  /** When it runs, or has ended. */
  readonly started: Promise<void>
  readonly #worker: Worker
  readonly #waiting = new Map<number, Waiting>()
  readonly #signal: AbortSignal | undefined
  readonly #stop = () => this.#end(cancelled('composing the image', this.#signal?.reason))
  #calls = 0
  #failure: { readonly error: unknown } | undefined

  constructor(options: ComposeOptions, { expected, onNote, signal }: ComposeThreadOptions) {
    this.#worker = startThread('compose', { options, expected } satisfies ComposeThreadData)
    this.#worker.on('message', (message: FromComposeThread) => {
      if (message.kind === 'note') onNote(message.text)
      else this.#hear(message)
    })
    this.started = new Promise((resolve) => {
      this.#worker.once('online', resolve)
      this.#worker.once('exit', () => resolve())
    })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () =>
      this.#end(new SregistryError('INTERNAL', 'the composing thread ended without a result')),
    )
    this.#signal = signal
    signal?.addEventListener('abort', this.#stop, { once: true })
    if (signal?.aborted) this.#stop()
  }

  read(path: string): Promise<Digest> {
    return this.#call<Digest>({ method: 'read', path })
  }

  layOut(paths: readonly string[], dataStart: number): Promise<CopyPlan> {
    return this.#call<CopyPlan>({ method: 'layOut', paths, dataStart })
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
    this.#worker.postMessage({ call, wanted } satisfies ToComposeThread)
    return new Promise((resolve, reject) => {
      this.#waiting.set(call, { resolve: resolve as (result: ComposeResult) => void, reject })
    })
  }

  #hear(message: Exclude<FromComposeThread, { kind: 'note' }>): void {
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
