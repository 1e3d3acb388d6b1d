/** Threads that a large image is made by, which can be started before it is known what it is made of. */
import type { Worker } from 'node:worker_threads'
import { startComposing } from './compose/compose-thread.ts'
import { startCopying } from './layout/copy-thread.ts'

export type ImageThreads = {
  /** Used where something is copied ahead. */
  readonly copy: Worker
  readonly compose: Worker
  end(): Promise<void>
}

/** Whoever starts them ends them, whether they were used or not. */
export function startImageThreads(): ImageThreads {
  const copy = startCopying()
  try {
    const compose = startComposing()
    const end = async () => void (await Promise.all([copy.terminate(), compose.terminate()]))
    return { copy, compose, end }
  } catch (error) {
    // where no more threads can be had, nobody would have the first to end it
    void copy.terminate()
    throw error
  }
}
