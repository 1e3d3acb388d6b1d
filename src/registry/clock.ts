/** Time as an argument: the retry loop, token lifetimes and the watchdog ask this, tests bring their own. */
import { setTimeout as delay } from 'node:timers/promises'

export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number
  /** Resolves after the time, rejects with the signal's reason when it fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls back every `ms` until the returned function is called; never keeps the process alive. */
  every(ms: number, callback: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    await delay(ms, undefined, signal === undefined ? {} : { signal })
  },
  every: (ms, callback) => {
    const timer = setInterval(callback, ms)
    timer.unref()
    return () => clearInterval(timer)
  },
}
