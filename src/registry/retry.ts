/**
 * The retry loop of every request: five tries, 0.5 s × 2ⁿ with full jitter up to 30 s, Retry-After
 * obeyed up to 120 s (FAULTS § 3). ofetch's own retries know none of this and are switched off.
 */
import { throwIfCancelled } from '../errors/cancelled.ts'
import { SregistryError } from '../errors/sregistry-error.ts'
import type { Clock } from './clock.ts'
import type { RetryRule } from './network-failure.ts'

export type RetryPolicy = {
  readonly maxTries: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  readonly maxRetryAfterMs: number
}

export const defaultRetryPolicy: RetryPolicy = {
  maxTries: 5,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  maxRetryAfterMs: 120_000,
}

/** Statuses that another try may mend: go-containerregistry's list and 425. */
const retriedStatuses: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504, 499, 522])

export function isRetriedStatus(status: number): boolean {
  return retriedStatuses.has(status)
}

/** An attempt that failed: what to end with when no try is left, and how to go on before that. */
export class AttemptFailed extends Error {
  readonly error: SregistryError
  readonly rule: RetryRule
  readonly retryAfterMs: number | undefined

  constructor(error: SregistryError, rule: RetryRule, retryAfterMs?: number) {
    super(error.message, { cause: error })
    this.error = error
    this.rule = rule
    this.retryAfterMs = retryAfterMs
  }
}

/** Counts the tries of one request; one that makes progress may be told to start counting anew. */
export class RetryBudget {
  readonly #policy: RetryPolicy
  readonly #clock: Clock
  readonly #random: () => number
  #failures = 0

  constructor(
    clock: Clock,
    policy: RetryPolicy = defaultRetryPolicy,
    random: () => number = Math.random,
  ) {
    this.#clock = clock
    this.#policy = policy
    this.#random = random
  }

  /** Bytes arrived: the next failure is the first one again. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * Waits before the next try.
   * @throws {SregistryError} the failure's own error when no try is left; CANCELLED.
   */
  async waitAfter(failure: AttemptFailed, signal?: AbortSignal): Promise<void> {
    this.#failures += 1
    throwIfCancelled(signal, 'the request')
    const retries = Math.min(failure.rule.maxRetries, this.#policy.maxTries - 1)
    if (this.#failures > retries) throw withTries(failure.error, this.#failures)
    await this.#sleep(this.#delayMs(failure), signal)
  }

  #delayMs(failure: AttemptFailed): number {
    const { baseDelayMs, maxDelayMs, maxRetryAfterMs } = this.#policy
    if (failure.retryAfterMs === undefined) {
      const ceiling = Math.min(maxDelayMs, baseDelayMs * 2 ** (this.#failures - 1))
      return Math.round(this.#random() * ceiling)
    }
    if (failure.retryAfterMs <= maxRetryAfterMs) return failure.retryAfterMs
    const at = new Date(this.#clock.now() + failure.retryAfterMs).toISOString()
    throw new SregistryError(failure.error.code, failure.error.message, {
      hint: `the registry asks to come back at ${at}`,
      cause: failure.error.cause,
    })
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    try {
      await this.#clock.sleep(ms, signal)
    } catch (cause) {
      throwIfCancelled(signal, 'waiting for the next try')
      throw cause
    }
  }
}

/** Runs the attempt until it succeeds or the budget is spent. Errors other than AttemptFailed end it. */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  budget: RetryBudget,
  signal?: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await attempt()
    } catch (thrown) {
      if (!(thrown instanceof AttemptFailed)) throw thrown
      await budget.waitAfter(thrown, signal)
    }
  }
}

/** Retry-After (RFC 9110 § 10.2.3), seconds or a date, as milliseconds from now; undefined when unreadable. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\s*\d{1,9}\s*$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

function withTries(error: SregistryError, tries: number): SregistryError {
  if (tries < 2) return error
  return new SregistryError(error.code, `${error.message}, after ${tries} tries`, {
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    cause: error.cause,
  })
}
