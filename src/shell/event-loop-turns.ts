/**
 * `while (true) { await 0 }` never leaves the queue of microtasks: no key is read, no timer fires. Loops
 * that await are rewritten (loop-checks.ts) to ask here whether the event loop has waited for too long.
 */
import { setImmediate } from 'node:timers'

const longestWaitMs = 25

/** Since when we know of no turn; undefined when there has been one. */
let waitingSince: number | undefined
let isSynchronous = false

/** Runs the part of an input that comes before its first `await`. Ctrl-C ends it by a signal. */
export function runSynchronously<Result>(run: () => Result): Result {
  isSynchronous = true
  try {
    return run()
  } finally {
    isSynchronous = false
  }
}

/** Whether a loop may be held up: not in the synchronous part, where nothing may come in between. */
export function mayYield(): boolean {
  return !isSynchronous
}

/** Whether the event loop should have its turn now. Cheap enough for each round of a loop. */
export function isTurnDue(): boolean {
  const now = performance.now()
  if (waitingSince !== undefined) return now - waitingSince > longestWaitMs
  waitingSince = now
  setImmediate(() => {
    waitingSince = undefined
  }).unref()
  return false
}

export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
