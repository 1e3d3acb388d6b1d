/** A packing thread's side of the encoding threads: hands them blocks while they are idle. */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { BlockCounts } from '../deflate/recoder.ts'
import type { EncodedBlock, EncodeJob } from './encoder-messages.ts'

/** Blocks that may be on their way to a thread and back: one being encoded and one to go on with. */
const maxJobs = 2

/** The stored block, or undefined when it is no shorter than the bytes; views good during the call. */
export type OnEncoded = (stored: Uint8Array | undefined, bytes: Uint8Array) => void

type OpenJob = { readonly bytes: number; readonly onEncoded: OnEncoded }

export class RemoteEncoders {
  readonly #remotes: readonly { readonly port: MessagePort; readonly jobs: OpenJob[] }[]
  readonly #buffers: ArrayBuffer[] = []
  readonly #bufferBytes: number

  constructor(ports: readonly MessagePort[], blockSize: number) {
    // more sequences than a block has bytes are for blocks that hardly any match is found in
    this.#bufferBytes = 2 * blockSize
    this.#remotes = ports.map((port) => ({ port, jobs: [] }))
    for (const remote of this.#remotes) {
      remote.port.on('message', (answer: EncodedBlock) => this.#hear(remote.jobs, answer))
    }
  }

  /**
   * Hands a block to an idle thread.
   * @param copy Writes the block into a buffer, or says by undefined that it does not fit.
   * @returns false when none is idle, or the block does not fit: it is then to be encoded here.
   */
  offer(copy: (into: Uint8Array) => BlockCounts | undefined, onEncoded: OnEncoded): boolean {
    this.#receive()
    const idle = this.#remotes.find(({ jobs }) => jobs.length < maxJobs)
    if (idle === undefined) return false
    const block = this.#buffers.pop() ?? new ArrayBuffer(this.#bufferBytes)
    const counts = copy(new Uint8Array(block))
    if (counts === undefined) {
      this.#buffers.push(block)
      return false
    }
    idle.jobs.push({ bytes: counts.bytes, onEncoded })
    const job: EncodeJob = { block, counts }
    idle.port.postMessage(job, [block])
    return true
  }

  close(): void {
    for (const { port } of this.#remotes) port.close()
  }

  /** Answers that came while this thread was busy. */
  #receive(): void {
    for (const { port, jobs } of this.#remotes) {
      for (;;) {
        const received = receiveMessageOnPort(port) as { message: EncodedBlock } | undefined
        if (received === undefined) break
        this.#hear(jobs, received.message)
      }
    }
  }

  /** Answers come in the order of the jobs. */
  #hear(jobs: OpenJob[], { block, storedBytes }: EncodedBlock): void {
    const job = jobs.shift()
    const stored = storedBytes === undefined ? undefined : new Uint8Array(block, 0, storedBytes)
    job?.onEncoded(stored, new Uint8Array(block, 0, job.bytes))
    this.#buffers.push(block)
  }
}
