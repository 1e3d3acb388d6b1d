/**
 * One statement while it runs, and the two steps of Ctrl-C: the first aborts its signal and waits for
 * the clean-up, the second stops waiting.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import type { CallEvent } from './shell-client.ts'

export type StatementProgress = {
  /** A listener for the events of one call, and what to call when that call is over. */
  readonly follow: () => {
    readonly onProgress: (event: CallEvent) => void
    readonly done: () => void
  }
  /** For a question: no bars, and what is printed waits, until the function is called. */
  readonly pause: () => () => void
  /** Nothing of this statement is drawn or printed any more. */
  readonly detach: () => void
}

export class Statement {
  readonly progress: StatementProgress
  /** Settles at the second interrupt. */
  readonly abandoned: Promise<'abandoned'>
  readonly #controller = new AbortController()
  #abandon: (step: 'abandoned') => void = () => undefined
  #isAbandoned = false

  constructor(progress: StatementProgress) {
    this.progress = progress
    // A statement may make any number of calls, each with its listener (MaxListenersExceededWarning).
    setMaxListeners(0, this.#controller.signal)
    this.abandoned = new Promise((resolve) => {
      this.#abandon = resolve
    })
  }

  /** Once aborted it stays so: a `for … try … catch` of the user's must not go on pulling. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Nobody waits for it any more, so what it still does is not to be seen. */
  get isAbandoned(): boolean {
    return this.#isAbandoned
  }

  interrupt(): 'cancelling' | 'abandoned' {
    if (!this.signal.aborted) {
      this.#controller.abort()
      return 'cancelling'
    }
    // The bars of an abandoned pull would overwrite the next prompt.
    this.progress.detach()
    this.#isAbandoned = true
    this.#abandon('abandoned')
    return 'abandoned'
  }
}

/** The statement that the running code belongs to, kept across its awaits. */
export const currentStatement: AsyncLocalStorage<Statement> = new AsyncLocalStorage()
