/** The encoding thread's own end (encoder-pool.ts makes it): encodes blocks that packing threads decode. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { BlockEncoder } from '../deflate/block-encoder.ts'
import type {
  EncodedBlock,
  EncodeJob,
  EncoderThreadData,
  ToEncoderThread,
} from './encoder-messages.ts'

const { recoder, blockSize, effort } = workerData as EncoderThreadData
const encoder = new BlockEncoder(recoder, blockSize, effort)

parentPort?.on('message', ({ port }: ToEncoderThread) => {
  port.on('message', (job: EncodeJob) => answer(port, job))
})

function answer(port: MessagePort, { block, counts }: EncodeJob): void {
  const bytes = new Uint8Array(block)
  const stored = encoder.encode(bytes, counts)
  if (stored !== undefined) bytes.set(stored)
  const encoded: EncodedBlock = { block, storedBytes: stored?.length }
  port.postMessage(encoded, [block])
}
