/**
 * The copying thread's own end (copy-thread.ts has the other): copies ranges once, one call after the other.
 * Where the image cannot be written past the page cache, what was written is sent to the disk while more is.
 */
import { readSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { sendToDisk } from '../../storage/early-sync.ts'
import { writeFullySync } from '../write-fully.ts'
import type { CopyMessage, CopyOutcome, CopyThreadData } from './copy-messages.ts'
import { type CopyWindow, windowsOf } from './copy-windows.ts'
import { DirectOutput, pagedMemory } from './direct-output.ts'
import type { CopiedRange } from './image-layout.ts'

/** What one call copies through the cache: so small that the buffer stays in the processor's second cache. */
const cachedWindowBytes = 256 * 1024
/** So large that the disk is not waited for often. */
const directWindowBytes = 2 * 1024 * 1024
/** How much is copied between two reports. */
const reportBytes = 16 * 1024 * 1024
/** What is worth a trip to the disk; at the end all that is left. */
let syncBytes = 64 * 1024 * 1024

const { sources, output, stop } = workerData as CopyThreadData
let copied = 0
let unsynced = 0
let isSyncing = false

/** Writes all the bytes. */
type Write = (bytes: Uint8Array, target: number) => void

parentPort?.once('message', (ranges: readonly CopiedRange[] | undefined) => {
  if (ranges !== undefined) void copyAll(ranges).then(end)
})

function end(outcome: CopyOutcome): void {
  report()
  tell(outcome)
  // what was stopped or has failed is thrown away or written over: nobody should wait for the disk
  if (outcome.type !== 'done') return
  syncBytes = 1
  sync()
}

function tell(message: CopyMessage): void {
  parentPort?.postMessage(message)
}

function report(): void {
  tell({ type: 'copied', bytes: copied })
  unsynced += copied
  copied = 0
}

/** The thread ends only when the disk has answered: the file may be closed after it. */
function sync(): void {
  if (isSyncing || unsynced < syncBytes || Atomics.load(stop, 0) !== 0) return
  isSyncing = true
  unsynced = 0
  void sendToDisk(output).then(() => {
    isSyncing = false
    sync()
  })
}

async function copyAll(ranges: readonly CopiedRange[]): Promise<CopyOutcome> {
  const memory = pagedMemory(directWindowBytes)
  const direct = memory && DirectOutput.open(output)
  try {
    if (memory === undefined || direct === undefined) {
      const buffer = Buffer.allocUnsafeSlow(cachedWindowBytes)
      return await copyInto(ranges, buffer, (...window) => writeFullySync(output, ...window))
    }
    // there is nothing but the file's own record to be sent, once
    syncBytes = Number.POSITIVE_INFINITY
    return await copyInto(ranges, memory, (...window) => direct.write(...window))
  } catch (error) {
    const { message, errno, code, syscall } = error as NodeJS.ErrnoException
    return { type: 'failed', message, system: { errno, code, syscall } }
  } finally {
    direct?.close()
  }
}

async function copyInto(
  ranges: readonly CopiedRange[],
  buffer: Uint8Array,
  write: Write,
): Promise<CopyOutcome> {
  for (const window of windowsOf(ranges, buffer.length)) {
    if (Atomics.load(stop, 0) !== 0) return { type: 'stopped' }
    const bytes = buffer.subarray(0, window.sizeBytes)
    const cut = readWindow(window, bytes)
    if (cut !== undefined) return cut
    write(bytes, window.target)
    copied += window.sizeBytes
    if (copied < reportBytes) continue
    report()
    sync()
    // the disk's answer is heard in turns
    await nextTurn()
  }
  return { type: 'done' }
}

/** @returns an outcome when a layer ends before its piece does. */
function readWindow({ pieces }: CopyWindow, bytes: Uint8Array): CopyOutcome | undefined {
  let filled = 0
  for (const { source, position, sizeBytes } of pieces) {
    for (let done = 0; done < sizeBytes; ) {
      const read = readSync(sources[source] ?? -1, bytes, filled, sizeBytes - done, position + done)
      if (read === 0) return { type: 'cut', source }
      done += read
      filled += read
    }
  }
  return undefined
}
