/**
 * The copying thread's own end (copy-thread.ts has the other): copies ranges once, one call after the other,
 * and sends what it wrote to the disk while it writes more.
 */
import { fdatasync, readSync, writeSync } from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import type { CopyMessage, CopyOutcome, CopyThreadData } from './copy-messages.ts'
import type { CopiedRange } from './image-layout.ts'

/** What one system call copies: so small that the buffer stays in the processor's second cache. */
const chunkBytes = 256 * 1024
/** How much is copied between two reports. */
const reportBytes = 16 * 1024 * 1024
/** What is worth a trip to the disk; at the end all that is left. */
let syncBytes = 64 * 1024 * 1024

const { sources, output, stop } = workerData as CopyThreadData
const buffer = Buffer.allocUnsafeSlow(chunkBytes)
let copied = 0
let unsynced = 0
let isSyncing = false

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
  // a failure shows again, and counts, at the fsync before the rename
  fdatasync(output, () => {
    isSyncing = false
    sync()
  })
}

async function copyAll(ranges: readonly CopiedRange[]): Promise<CopyOutcome> {
  try {
    for (const range of ranges) {
      const outcome = await copyRange(range)
      if (outcome !== undefined) return outcome
    }
    return { type: 'done' }
  } catch (error) {
    const { message, errno, code, syscall } = error as NodeJS.ErrnoException
    return { type: 'failed', message, system: { errno, code, syscall } }
  }
}

async function copyRange(range: CopiedRange): Promise<CopyOutcome | undefined> {
  for (let done = 0; done < range.sizeBytes; ) {
    if (Atomics.load(stop, 0) !== 0) return { type: 'stopped' }
    const bytes = copyChunk(range, done)
    if (bytes === 0) return { type: 'cut', source: range.source }
    done += bytes
    copied += bytes
    if (copied < reportBytes) continue
    report()
    sync()
    // the disk's answer is heard in turns
    await nextTurn()
  }
  return undefined
}

function copyChunk(from: CopiedRange, done: number): number {
  const wanted = Math.min(chunkBytes, from.sizeBytes - done)
  const source = sources[from.source] ?? -1
  const read = readSync(source, buffer, 0, wanted, from.position + done)
  for (let at = 0; at < read; ) {
    at += writeSync(output, buffer, at, read - at, from.target + done + at)
  }
  return read
}
