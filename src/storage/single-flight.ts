/** The same work asked for twice at the same time is done once (FAULTS § 4.8). */
import { cancelled, throwIfCancelled } from '../errors/cancelled.ts'

type Flight<T> = {
  readonly result: Promise<T>
  readonly abort: AbortController
  waiters: number
}

/**
 * Flights by key. Each has its own signal, which fires when the last of those who wait for it has left;
 * a flight that ended, well or not, is forgotten.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /**
   * Joins the flight of this key, or starts it.
   * @throws {SregistryError} CANCELLED when this waiter's signal fires, and whatever the work throws.
   */
  async run(
    key: string,
    work: (signal: AbortSignal) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    throwIfCancelled(signal, key)
    const flight = this.#flights.get(key) ?? this.#start(key, work)
    flight.waiters += 1
    try {
      return await untilAborted(flight.result, key, signal)
    } finally {
      flight.waiters -= 1
      // a flight that ended is forgotten already: its signal stays quiet
      if (flight.waiters === 0 && this.#flights.get(key) === flight) {
        this.#flights.delete(key)
        flight.abort.abort()
      }
    }
  }

  #start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abort = new AbortController()
    const flight = { result: work(abort.signal), abort, waiters: 0 }
    this.#flights.set(key, flight)
    const forget = (): void => this.#forget(key, flight)
    // also holds the rejection of a flight that all have left
    flight.result.then(forget, forget)
    return flight
  }

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key)
  }
}

async function untilAborted<T>(
  result: Promise<T>,
  key: string,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return result
  const { promise, reject } = rejection()
  const onAbort = (): void => reject(cancelled(key, signal.reason))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([result, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function rejection(): { promise: Promise<never>; reject: (reason: Error) => void } {
  let reject: (reason: Error) => void = () => undefined
  const promise = new Promise<never>((_, refuse) => {
    reject = refuse
  })
  return { promise, reject }
}
