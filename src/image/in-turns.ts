import { throwIfCancelled } from '../errors/cancelled.ts'

/**
 * Runs steps to their end, with a turn for everybody else after each few milliseconds.
 * @throws {SregistryError} CANCELLED.
 */
export async function inTurns<T>(
  steps: Generator<void, T>,
  what: string,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    throwIfCancelled(signal, what)
    const end = performance.now() + turnMs
    do {
      const step = steps.next()
      if (step.done) return step.value
    } while (performance.now() < end)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** Short enough that the thread pool does not run dry meanwhile. */
const turnMs = 4
