/**
 * `while (true) { await 0 }` never leaves the queue of microtasks: no key is read, no timer fires. Loops
 * that await are rewritten (loop-checks.ts) to ask here whether the event loop has waited for too long.
 */
import { performance } from 'node:perf_hooks'
import { setImmediate } from 'node:timers'

const longestWaitMs = 25
/** Rounds that took no longer than this in all are quick. */
const quickMs = 1
const mostRounds = 64

let rounds = 0
let roundsToLook = 1
let lookedAt = 0

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

/**
 * Asked in each round of a loop, so it looks at the clock only once in a number of rounds while those are
 * quick. Never in the synchronous part, where nothing may come in between.
 * @returns Whether it is time to ask whether a turn is due.
 */
export function isTimeToLook(): boolean {
  rounds += 1
  if (rounds < roundsToLook || isSynchronous) return false
  rounds = 0
  const now = performance.now()
  roundsToLook = now - lookedAt < quickMs ? Math.min(2 * roundsToLook, mostRounds) : 1
  lookedAt = now
  return true
}

/** Whether the event loop has waited for so long that it should have its turn now. */
export function isTurnDue(): boolean {
  if (waitingSince !== undefined) return lookedAt - waitingSince > longestWaitMs
  waitingSince = lookedAt
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
