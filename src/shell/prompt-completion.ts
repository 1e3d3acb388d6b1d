/** Tab at the prompt: asks for candidates, and keeps typing free while they are asked for. */
import type { InputGate } from './input-gate.ts'
import type { TypedLine } from './typed-line.ts'

type Completion = [candidates: string[], prefix: string]
export type CompletionCallback = (error: null, completion: Completion) => void

export type PromptCompletionOptions = {
  readonly gate: InputGate
  /** Answers for the whole text left of the cursor. */
  readonly complete: (text: string) => Promise<Completion>
  /** The lines above the one being typed, of a statement that is not complete yet. */
  readonly above: () => string
  /** The line at the prompt; undefined when there is no prompt. */
  readonly line: () => TypedLine | undefined
}

/** Typing never waits longer than this for a Tab. */
const limitMs = 300

export class PromptCompletion {
  readonly #options: PromptCompletionOptions
  #end: (() => void) | undefined

  constructor(options: PromptCompletionOptions) {
    this.#options = options
  }

  /** readline pauses stdin until it has its answer, so Ctrl-C must reach us through the gate. */
  async answer(line: string, done: CompletionCallback): Promise<void> {
    const { gate, above } = this.#options
    const text = `${above()}${line}`
    gate.hold()
    const answer = this.#candidates(text)
    const completion = await Promise.race([answer, this.#endOfPatience(answer, text)])
    this.interrupt()
    this.#end = undefined
    gate.release()
    if (this.#options.line() !== undefined) done(null, completion)
  }

  /** Gives up a completion that runs. */
  interrupt(): void {
    this.#end?.()
  }

  /** The answer to a Tab that came too late for it, unless something else is being typed by now. */
  again(text: string): void {
    const { gate, above } = this.#options
    const line = this.#options.line()
    if (line !== undefined && !gate.held && `${above()}${line.beforeCursor}` === text)
      line.pressTab()
  }

  async #candidates(text: string): Promise<Completion> {
    try {
      return await this.#options.complete(text)
    } catch {
      return [[], text] // a client that cannot be opened says so at Enter, not in mid-line
    }
  }

  /** Nothing, at Ctrl-C or at the time limit; after the latter the answer may still come. */
  async #endOfPatience(answer: Promise<Completion>, text: string): Promise<Completion> {
    const isLate = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), limitMs)
      this.#end = () => {
        clearTimeout(timer)
        resolve(false)
      }
    })
    if (isLate) void answer.then(([names]) => names.length > 0 && this.again(text))
    return [[], text]
  }
}
