/**
 * SIGTERM and SIGHUP while calls are in flight: they are cancelled, given a moment to take away what
 * they began, and the process ends with the signal's code. Only then: with a listener a signal is no
 * longer fatal, and an endless synchronous loop could not be ended by it.
 */

export type TerminationOptions = {
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

  async #end(code: number): Promise<void> {
    const { abort, settled, cleanUp } = this.#options
    abort()
    const late = setTimeout(() => {
      cleanUp()
      process.exit(code)
    }, patienceMs)
    await settled()
    clearTimeout(late)
    cleanUp()
    process.exit(code)
  }
}
