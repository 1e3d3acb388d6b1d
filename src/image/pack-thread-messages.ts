import type { MessagePort } from 'node:worker_threads'
import type { RecoderModule } from '../deflate/recoder-module.ts'
import type { Digest } from '../registry/digest.ts'
import type { PackingParameters } from './packing-parameters.ts'
import type { ThreadFailure } from './thread-failure.ts'

/** What a packing thread begins with. */
export type PackThreadData = {
  readonly path: string
  readonly parameters: PackingParameters
  readonly diffId: Digest | undefined
  readonly blobDigest: Digest | undefined
  readonly recoder: RecoderModule
  /** The bytes of the blob go round in it. */
  readonly ring: SharedArrayBuffer
  /** Ports to the encoding threads. */
  readonly encoders: readonly MessagePort[]
}

/** To the thread: so many bytes more are in the ring, or the blob's end. */
export type ToPackThread = number | 'end'

export type FromPackThread =
  /** So many bytes of the ring are free again. */
  | { readonly kind: 'taken'; readonly bytes: number }
  | { readonly kind: 'packed' }
  | { readonly kind: 'failed'; readonly failure: ThreadFailure }
