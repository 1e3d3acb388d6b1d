/**
 * The end while calls are in flight, by SIGTERM, by SIGHUP or because the user leaves: they are cancelled and
 * given a moment to take away what they began. Signals are listened to only then: with a listener a signal
 * is no longer fatal, and an endless synchronous loop could not be ended by it.
 */
import { setTimeout as delay } from 'node:timers/promises'

export type TerminationOptions = {
  /** At a signal, first: nobody looks any more, and what is drawn would stay on the screen. */
  readonly clearScreen: () => void
  /** Cancels what runs. */
  readonly abort: () => void
  /** Resolves when every call has ended. */
  readonly settled: () => Promise<void>
  /** Removes what is left, synchronously. */
  readonly cleanUp: () => void
}

const signals = { SIGTERM: 143, SIGHUP: 129 } as const
const patienceMs = 1000

export class Termination {
  readonly #options: TerminationOptions
  readonly #listeners = Object.entries(signals).map(
    ([name, code]) => [name, () => void this.#end(code)] as const,
  )

  constructor(options: TerminationOptions) {
    this.#options = options
  }

  /** Calling it twice with the same value is harmless. */
  listen(isListening: boolean): void {
    for (const [name, listener] of this.#listeners) {
      process.off(name, listener)
      if (isListening) process.on(name, listener)
    }
  }

  /** Cancels what runs and waits for its end, a second at most. */
  async settle(): Promise<void> {
    const { abort, settled, cleanUp } = this.#options
    abort()
    await Promise.race([settled(), delay(patienceMs, undefined, { ref: false })])
    cleanUp()
  }

  async #end(code: number): Promise<void> {
    this.#options.clearScreen()
    await this.settle()
    process.exit(code)
  }
}
