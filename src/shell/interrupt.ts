/**
 * One statement while it runs, and the steps of Ctrl-C. The first press fires the signal, on which our own
 * operations clean up and reject. When they have, whatever the statement still waits for is given up, as a
 * promise of the user's own may never settle: its `await` rejects, so that `catch` and `finally` run, and
 * what does not end then is left where it stands. The second press does that without waiting for our own.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { SregistryError } from '../errors/sregistry-error.ts'
import { nextTurn } from './event-loop-turns.ts'
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

/** For the `catch` and `finally` of a statement whose awaits were given up. */
const unwindMs = 50

export class Statement {
  readonly progress: StatementProgress
  /** Settles at the second interrupt. */
  readonly abandoned: Promise<'abandoned'>
  readonly #left: Promise<void>
  readonly #controller = new AbortController()
  readonly #operations = new Set<Promise<void>>()
  #abandon: (step: 'abandoned') => void = () => undefined
  #leave: () => void = () => undefined
  #isAbandoned = false
  #isLeft = false
  #isUnwinding = false
  #runsCode = false
  /** Of the one `await` that the code outside functions stands at. */
  #giveUpWait: (reason: SregistryError) => void = () => undefined

  constructor(progress: StatementProgress) {
    this.progress = progress
    // A statement may make any number of calls, each with its listener (MaxListenersExceededWarning).
    setMaxListeners(0, this.#controller.signal)
    this.abandoned = new Promise((resolve) => {
      this.#abandon = resolve
    })
    this.#left = new Promise((resolve) => {
      this.#leave = resolve
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

  /** Nothing of it goes on: what is still rendered for it comes too late. */
  get isLeft(): boolean {
    return this.#isLeft
  }

  /** Whether an operation of ours is under way. It ends by itself after an interrupt. */
  get hasOperations(): boolean {
    return this.#operations.size > 0
  }

  /** Counts an operation of ours until it ends; its rejection is left to whoever holds the promise. */
  track(operation: PromiseLike<unknown>): void {
    const end = (): void => void this.#operations.delete(ended)
    const ended: Promise<void> = Promise.resolve(operation).then(end, end)
    this.#operations.add(ended)
  }

  /**
   * @returns 'cancelling' when something of ours cleans up, 'stopping' when only the user's code is left to
   *   end, which is a matter of milliseconds; 'abandoned' at the second press.
   */
  interrupt(): 'cancelling' | 'stopping' | 'abandoned' {
    if (!this.signal.aborted) {
      const waitsForOurs = this.hasOperations || !this.#runsCode
      this.cancel()
      return waitsForOurs ? 'cancelling' : 'stopping'
    }
    // The bars of an abandoned pull would overwrite the next prompt.
    this.progress.detach()
    this.#isAbandoned = true
    this.#abandon('abandoned')
    this.#leaveNow()
    return 'abandoned'
  }

  /** Fires the signal. Calling it twice is harmless. */
  cancel(): void {
    if (this.signal.aborted) return
    this.#controller.abort()
    void this.#unwind()
  }

  /** Resolves when nothing of ours has to clean up; at once when nothing was cancelled. */
  async cleanedUp(): Promise<void> {
    while (this.signal.aborted && this.hasOperations) await Promise.all(this.#operations)
  }

  /**
   * Starts the code of this statement; as its promise from then on.
   * @throws {SregistryError} CANCELLED when the interrupt came before, or when the code did not end after it.
   */
  async run<Value>(start: () => Promise<Value>): Promise<Value> {
    this.#throwIfCancelled()
    this.#runsCode = true
    return this.untilLeft(start())
  }

  /**
   * As work on the user's values, which may never end.
   * @throws {SregistryError} CANCELLED when it did not end after an interrupt.
   */
  async untilLeft<Value>(work: Promise<Value>): Promise<Value> {
    const left = this.#left.then(() => {
      throw givenUp()
    })
    left.catch(() => undefined) // it loses the race, mostly
    return Promise.race([work, left])
  }

  /**
   * What the code outside functions awaits; rejects when it is given up, and is silent from then on.
   * `resolve` and `reject` are handed on as they are: V8 follows them for the stack of a later error, and
   * only where a promise has one listener.
   */
  wait(value: unknown): Promise<unknown> {
    if (this.#isLeft) return never
    return new Promise((resolve, reject) => {
      this.#giveUpWait = reject
      Promise.resolve(value).then(resolve, reject)
      if (this.#isUnwinding) void nextTurn().then(() => reject(givenUp()))
    })
  }

  /**
   * For a loop that has given the event loop its turn.
   * @throws {SregistryError} CANCELLED after an interrupt.
   */
  async goOn(): Promise<void> {
    if (this.#isLeft) await never
    this.#throwIfCancelled()
  }

  #throwIfCancelled(): void {
    if (this.signal.aborted) throw new SregistryError('CANCELLED', 'the statement was cancelled')
  }

  async #unwind(): Promise<void> {
    await this.cleanedUp()
    await nextTurn() // what rejected by itself goes first: it has more to say
    this.#isUnwinding = true
    this.#giveUpWait(givenUp())
    await delay(unwindMs)
    this.#leaveNow()
  }

  #leaveNow(): void {
    this.#isLeft = true
    this.#leave()
  }
}

const never: Promise<never> = new Promise(() => undefined)

function givenUp(): SregistryError {
  return new SregistryError('CANCELLED', 'the statement was cancelled', {
    hint: 'what it waited for may go on in the background',
  })
}

/** The statement that the running code belongs to, kept across its awaits. */
export const currentStatement: AsyncLocalStorage<Statement> = new AsyncLocalStorage()
