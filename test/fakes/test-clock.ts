/** A clock whose time passes only when someone sleeps, or when told to. */
import type { Clock } from '../../src/registry/clock.ts'

export class TestClock implements Clock {
  time = Date.UTC(2026, 0, 1)
  /** How long each sleep was to last, in order. */
  readonly sleeps: number[] = []
  readonly #timers = new Set<() => void>()

  now(): number {
    return this.time
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    this.sleeps.push(ms)
    this.time += ms
  }

  every(_ms: number, callback: () => void): () => void {
    this.#timers.add(callback)
    return () => void this.#timers.delete(callback)
  }

  /** Lets time pass and runs what was to run meanwhile, once. */
  advance(ms: number): void {
    this.time += ms
    for (const timer of [...this.#timers]) timer()
  }
}
