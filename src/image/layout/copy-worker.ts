/** The copying thread's own end (copy-thread.ts has the other): copies ranges once, one call after the other. */
import { readSync, writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import type { CopyMessage, CopyOutcome, CopyThreadData } from './copy-messages.ts'
import type { CopiedRange } from './image-layout.ts'

/** What one system call copies: so small that the buffer stays in the processor's second cache. */
const chunkBytes = 256 * 1024
/** How much is copied between two reports. */
const reportBytes = 16 * 1024 * 1024

const { sources, output, stop } = workerData as CopyThreadData
const buffer = Buffer.allocUnsafeSlow(chunkBytes)
let copied = 0

parentPort?.once('message', (ranges: readonly CopiedRange[] | undefined) => {
  if (ranges === undefined) return
  const outcome = copyAll(ranges)
  report()
  tell(outcome)
})

function tell(message: CopyMessage): void {
  parentPort?.postMessage(message)
}

function report(): void {
  tell({ type: 'copied', bytes: copied })
  copied = 0
}

function copyAll(ranges: readonly CopiedRange[]): CopyOutcome {
  try {
    for (const range of ranges) {
      const outcome = copyRange(range)
      if (outcome !== undefined) return outcome
    }
    return { type: 'done' }
  } catch (error) {
    const { message, errno, code, syscall } = error as NodeJS.ErrnoException
    return { type: 'failed', message, system: { errno, code, syscall } }
  }
}

function copyRange(range: CopiedRange): CopyOutcome | undefined {
  for (let done = 0; done < range.sizeBytes; ) {
    if (Atomics.load(stop, 0) !== 0) return { type: 'stopped' }
    const bytes = copyChunk(range, done)
    if (bytes === 0) return { type: 'cut', source: range.source }
    done += bytes
    copied += bytes
    if (copied >= reportBytes) report()
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
