/**
 * The copying thread's own end (copy-thread.ts has the other): copies ranges once, one call after the other.
 * Where the image cannot be written past the page cache, what was written is sent to the disk while more is.
 */
import { readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort } from 'node:worker_threads'
import { sendToDisk } from '../../storage/early-sync.ts'
import { writeFullySync } from '../write-fully.ts'
import type { CopyMessage, CopyOrder, CopyOutcome } from './copy-messages.ts'
import { type CopyWindow, windowsOf } from './copy-windows.ts'
import { DirectOutput, pagedMemory } from './direct-output.ts'

/** What one call copies through the cache: so small that the buffer stays in the processor's second cache. */
const cachedWindowBytes = 256 * 1024
/** So large that the disk is not waited for often. */
const directWindowBytes = 2 * 1024 * 1024
/** How much is copied between two reports. */
const reportBytes = 16 * 1024 * 1024
/** What is worth a trip to the disk; at the end all that is left. */
const syncBytes = 64 * 1024 * 1024

/** Writes all the bytes. */
type Write = (bytes: Uint8Array, target: number) => void

class Copying {
  readonly #order: CopyOrder
  #syncBytes = syncBytes
  #copied = 0
  #unsynced = 0
  #isSyncing = false

  constructor(order: CopyOrder) {
    this.#order = order
  }

  async run(): Promise<void> {
    const outcome = await this.#copyAll()
    this.#report()
    tell(outcome)
    // what was stopped or has failed is thrown away or written over: nobody should wait for the disk
    if (outcome.type !== 'done') return
    this.#syncBytes = 1
    this.#sync()
  }

  async #copyAll(): Promise<CopyOutcome> {
    const { output } = this.#order
    const memory = pagedMemory(directWindowBytes)
    const direct = memory && DirectOutput.open(output)
    try {
      if (memory === undefined || direct === undefined) {
        const buffer = Buffer.allocUnsafeSlow(cachedWindowBytes)
        return await this.#copyBy(buffer, (...window) => writeFullySync(output, ...window))
      }
      // there is nothing but the file's own record to be sent, once
      this.#syncBytes = Number.POSITIVE_INFINITY
      return await this.#copyBy(memory, (...window) => direct.write(...window))
    } catch (error) {
      const { message, errno, code, syscall } = error as NodeJS.ErrnoException
      return { type: 'failed', message, system: { errno, code, syscall } }
    } finally {
      direct?.close()
    }
  }

  async #copyBy(buffer: Uint8Array, write: Write): Promise<CopyOutcome> {
    for (const window of windowsOf(this.#order.ranges, buffer.length)) {
      if (this.#isStopped) return { type: 'stopped' }
      const bytes = buffer.subarray(0, window.sizeBytes)
      const cut = this.#readWindow(window, bytes)
      if (cut !== undefined) return cut
      write(bytes, window.target)
      this.#copied += window.sizeBytes
      if (this.#copied < reportBytes) continue
      this.#report()
      this.#sync()
      // the disk's answer is heard in turns
      await nextTurn()
    }
    return { type: 'done' }
  }

  /** @returns an outcome when a layer ends before its piece does. */
  #readWindow({ pieces }: CopyWindow, bytes: Uint8Array): CopyOutcome | undefined {
    let filled = 0
    for (const { source, position, sizeBytes } of pieces) {
      const descriptor = this.#order.sources[source] ?? -1
      for (let done = 0; done < sizeBytes; ) {
        const read = readSync(descriptor, bytes, filled, sizeBytes - done, position + done)
        if (read === 0) return { type: 'cut', source }
        done += read
        filled += read
      }
    }
    return undefined
  }

  get #isStopped(): boolean {
    return Atomics.load(this.#order.stop, 0) !== 0
  }

  #report(): void {
    tell({ type: 'copied', bytes: this.#copied })
    this.#unsynced += this.#copied
    this.#copied = 0
  }

  /** The thread ends only when the disk has answered: the file may be closed after it. */
  #sync(): void {
    if (this.#isSyncing || this.#unsynced < this.#syncBytes || this.#isStopped) return
    this.#isSyncing = true
    this.#unsynced = 0
    void sendToDisk(this.#order.output).then(() => {
      this.#isSyncing = false
      this.#sync()
    })
  }
}

function tell(message: CopyMessage): void {
  parentPort?.postMessage(message)
}

parentPort?.once('message', (order: CopyOrder | undefined) => {
  if (order !== undefined) void new Copying(order).run()
})
