import type { MessagePort } from 'node:worker_threads'
import type { BlockCounts, RecodingEffort } from '../deflate/recoder.ts'
import type { RecoderModule } from '../deflate/recoder-module.ts'

/** What an encoding thread begins with. */
export type EncoderThreadData = {
  readonly recoder: RecoderModule
  readonly blockSize: number
  readonly effort: RecodingEffort
}

/** To an encoding thread: a port over which a packing thread will send it blocks. */
export type ToEncoderThread = { readonly port: MessagePort }

/** A block to encode; the buffer goes back with the answer. */
export type EncodeJob = { readonly block: ArrayBuffer; readonly counts: BlockCounts }

/** The stored block at the beginning of the buffer, or, where it would be no shorter, the bytes. */
export type EncodedBlock = { readonly block: ArrayBuffer; readonly storedBytes: number | undefined }
