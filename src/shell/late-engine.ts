/** Loads the engine when it is first needed, or when the prompt has been idle for a moment. */
import type { Engine, EngineParts } from './engine.ts'

const idleBeforePrewarmMs = 250

export class LateEngine {
  readonly #parts: EngineParts
  #engine: Engine | undefined
  #opening: Promise<Engine> | undefined
  #giveUp: (() => void) | undefined

  constructor(parts: EngineParts) {
    this.#parts = parts
  }

  /** Undefined until it is there. */
  get opened(): Engine | undefined {
    return this.#engine
  }

  async open(): Promise<Engine> {
    this.#opening ??= this.#load()
    try {
      this.#engine = await this.#opening
      return this.#engine
    } catch (error) {
      this.#opening = undefined // settings may be mended, and the next statement tries again
      throw error
    }
  }

  /** @returns Undefined when `interrupt` came first: the modules load on, the statement never starts. */
  async openUnlessInterrupted(): Promise<Engine | undefined> {
    if (this.#engine !== undefined) return this.#engine
    const interrupted = new Promise<undefined>((resolve) => {
      this.#giveUp = () => resolve(undefined)
    })
    const engine = await Promise.race([this.open(), interrupted])
    this.#giveUp = undefined
    return engine
  }

  interrupt(): void {
    this.#giveUp?.()
  }

  prewarmWhenIdle(): void {
    setTimeout(() => void this.#prewarm(), idleBeforePrewarmMs).unref()
  }

  async #load(): Promise<Engine> {
    const { openEngine } = await import('./engine.ts')
    const { defineResults } = await import('./globals.ts')
    const engine = await openEngine(this.#parts)
    defineResults()
    return engine
  }

  async #prewarm(): Promise<void> {
    try {
      await (await this.open()).prewarm()
    } catch {
      // What cannot be loaded or opened is told when it is asked for.
    }
  }
}
