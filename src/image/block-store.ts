/**
 * Compresses blocks on the thread pool and appends them to a file in the order they came, whatever
 * the order they are finished in. Bounded: slots for what is compressed, isFull for what waits.
 */
import type { BlockCompressor } from '../squashfs/block-compressor.ts'
import { blockRaw } from '../squashfs/format.ts'
import type { OpenFile } from '../storage/thread-file.ts'
import { Change } from './change.ts'
import type { PackingSlots } from './packing-slots.ts'

/** Bytes that go to the file in one write. */
const batchBytes = 1_048_576

/** Blocks of one layer that may wait for a slot before its stream is held back. */
const maxWaitingBlocks = 2

/** Told once the place of a block is known, in the order of the blocks; stored is the block when raw. */
export type OnStored = (stored: Uint8Array, sizeWord: number, position: number) => void

type Submission = { readonly onStored: OnStored; result: CompressedBlock | undefined }
type CompressedBlock = {
  readonly stored: Uint8Array
  readonly sizeWord: number
  /** What stored is a view of, where that is used again once it is written. */
  readonly slab?: Slab
}

export class BlockStore {
  /** Where the next stored block goes. */
  position: number
  private readonly order: Submission[] = []
  private waitingBlocks = 0
  private inFlight = 0
  private batch: CompressedBlock[] = []
  private readonly slabs = new Slabs()
  private batchedBytes = 0
  private written: number
  private writing: Promise<void> | undefined
  private failure: { readonly cause: unknown } | undefined
  private readonly change = new Change()
  private readonly file: OpenFile
  private readonly compressor: BlockCompressor
  private readonly slots: PackingSlots

  constructor(
    file: OpenFile,
    position: number,
    { compressor, slots }: { readonly compressor: BlockCompressor; readonly slots: PackingSlots },
  ) {
    this.file = file
    this.position = position
    this.written = position
    this.compressor = compressor
    this.slots = slots
  }

  /** The bytes must stay as they are until the block is stored. */
  submit(block: Uint8Array, onStored: OnStored): void {
    const submission: Submission = { onStored, result: undefined }
    this.order.push(submission)
    this.waitingBlocks += 1
    this.slots.take(() => {
      this.waitingBlocks -= 1
      this.compress(block, submission)
    })
  }

  /** Keeps the place of a block that is compressed elsewhere. @returns takes it, and copies it at once. */
  reserve(onStored: OnStored): (stored: Uint8Array, sizeWord: number) => void {
    const submission: Submission = { onStored, result: undefined }
    this.order.push(submission)
    return (stored, sizeWord) => {
      submission.result = { ...this.slabs.copy(stored), sizeWord }
      this.appendReady()
      this.change.notify()
    }
  }

  /** Waits until the stream may go on. @throws what a compression or a write failed with. */
  async room(): Promise<void> {
    while (!this.failure && (this.waitingBlocks > maxWaitingBlocks || this.isDiskBehind)) {
      await this.change.next()
    }
    this.throwFailure()
  }

  /** Waits until everything is in the file. @throws what a compression or a write failed with. */
  async flush(): Promise<void> {
    while (!this.failure && this.order.length > 0) await this.change.next()
    // a write under way leaves behind what came since: that goes out after it
    while (!this.failure && (this.writing !== undefined || this.batch.length > 0)) {
      this.startWriting()
      await this.change.next()
    }
    this.throwFailure()
  }

  /** Gives up: nothing more is compressed or written; returns when nothing is under way. */
  async abandon(cause: unknown): Promise<void> {
    this.failure ??= { cause }
    while (this.inFlight > 0 || this.waitingBlocks > 0 || this.writing !== undefined) {
      await this.change.next()
    }
  }

  private get isDiskBehind(): boolean {
    return this.writing !== undefined && this.batchedBytes > 2 * batchBytes
  }

  private compress(block: Uint8Array, submission: Submission): void {
    if (this.failure !== undefined) {
      this.slots.release()
      this.change.notify()
      return
    }
    this.inFlight += 1
    this.compressor
      .compress(block)
      .then((stored) => this.finish(block, stored, submission))
      .catch((cause: unknown) => {
        this.failure ??= { cause }
      })
      .finally(() => {
        this.inFlight -= 1
        this.slots.release()
        this.change.notify()
      })
  }

  private finish(block: Uint8Array, stored: Uint8Array, submission: Submission): void {
    const isRaw = stored.length >= block.length
    submission.result = isRaw
      ? { stored: block, sizeWord: block.length | blockRaw }
      : { stored, sizeWord: stored.length }
    this.appendReady()
  }

  /** Everything up to the first block that is still being compressed. */
  private appendReady(): void {
    if (this.failure !== undefined) return
    let next = this.order[0]
    while (next?.result !== undefined) {
      this.order.shift()
      this.append(next.result, next.onStored)
      next = this.order[0]
    }
    if (this.batchedBytes >= batchBytes) this.startWriting()
  }

  private append(block: CompressedBlock, onStored: OnStored): void {
    const { stored, sizeWord } = block
    onStored(stored, sizeWord, this.position)
    this.batch.push(block)
    this.batchedBytes += stored.length
    this.position += stored.length
  }

  private startWriting(): void {
    if (this.writing !== undefined || this.batch.length === 0 || this.failure !== undefined) return
    const { batch } = this
    const position = this.written
    this.written += this.batchedBytes
    this.batch = []
    this.batchedBytes = 0
    this.writing = writeAll(
      this.file,
      batch.map(({ stored }) => stored),
      position,
    )
      .catch((cause: unknown) => {
        this.failure ??= { cause }
      })
      .then(() => {
        this.writing = undefined
        for (const { slab } of batch) if (slab !== undefined) this.slabs.release(slab)
        if (this.batchedBytes >= batchBytes) this.startWriting()
        this.change.notify()
      })
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure.cause
  }
}

/** A large buffer of copies; openCopies are still to be written. */
type Slab = { readonly bytes: Buffer; filled: number; openCopies: number }

/**
 * Copies of stored blocks, in large buffers that are used again: one for each block would be garbage
 * that nothing collects before it is tens of megabytes. Blocks may be copied before those that go to
 * the file first, so each slab counts its own.
 */
class Slabs {
  private readonly free: Slab[] = []
  private current: Slab | undefined

  copy(bytes: Uint8Array): { readonly stored: Uint8Array; readonly slab: Slab } {
    if (this.current === undefined || this.current.filled + bytes.length > slabBytes) {
      if (this.current?.openCopies === 0) this.free.push(this.current)
      this.current = this.take(bytes.length)
    }
    const slab = this.current
    const stored = slab.bytes.subarray(slab.filled, slab.filled + bytes.length)
    stored.set(bytes)
    slab.filled += bytes.length
    slab.openCopies += 1
    return { stored, slab }
  }

  release(slab: Slab): void {
    slab.openCopies -= 1
    if (slab.openCopies === 0 && slab !== this.current) this.free.push(slab)
  }

  private take(atLeast: number): Slab {
    const slab = this.free.pop()
    if (slab === undefined || slab.bytes.length < atLeast) {
      const bytes = Buffer.allocUnsafeSlow(Math.max(slabBytes, atLeast))
      return { bytes, filled: 0, openCopies: 0 }
    }
    slab.filled = 0
    return slab
  }
}

const slabBytes = 1_048_576

/** writev may write less than it is given, and takes at most IOV_MAX buffers. */
async function writeAll(file: OpenFile, batch: readonly Uint8Array[], at: number): Promise<void> {
  let position = at
  for (let i = 0; i < batch.length; i += maxVectors) {
    const part = batch.slice(i, i + maxVectors)
    let { bytesWritten } = await file.writev(part, position)
    const total = part.reduce((sum, bytes) => sum + bytes.length, 0)
    if (bytesWritten < total) {
      const rest = Buffer.concat(part)
      while (bytesWritten < total) {
        bytesWritten += (
          await file.write(rest, bytesWritten, total - bytesWritten, position + bytesWritten)
        ).bytesWritten
      }
    }
    position += total
  }
}

const maxVectors = 512
