/** Tab at the prompt: asks for candidates, and keeps typing free while they are asked for. */
import type { InputGate } from './input-gate.ts'
import type { TypedLine } from './typed-line.ts'

/** What a Tab does: `insertion` in place of `prefix`, or when that is no more, a list to look at. */
export type TabAnswer = {
  readonly prefix: string
  readonly insertion: string
  /** Undefined when there is nothing to show. */
  readonly list: string | undefined
}

export type CompletionCallback = (
  error: null,
  completion: [candidates: string[], prefix: string],
) => void

export type PromptCompletionOptions = {
  readonly gate: InputGate
  /** Answers for the whole text left of the cursor. */
  readonly complete: (text: string) => Promise<TabAnswer>
  /** The lines above the one being typed, of a statement that is not complete yet. */
  readonly above: () => string
  /** The line at the prompt; undefined when there is no prompt. */
  readonly line: () => TypedLine | undefined
  /** Prints above the line. */
  readonly print: (text: string) => void
}

/** Typing never waits longer than this for a Tab. */
const limitMs = 300

const nothing: TabAnswer = { prefix: '', insertion: '', list: undefined }

export class PromptCompletion {
  readonly #options: PromptCompletionOptions
  #end: (() => void) | undefined
  #isGivenUp = false
  /** The text whose list was the last thing that happened. */
  #listed: string | undefined

  constructor(options: PromptCompletionOptions) {
    this.#options = options
    // readline makes these of what comes through the gate
    options.gate.on('keypress', (_text: unknown, key: { readonly name?: string } | undefined) => {
      if (key?.name !== 'tab') this.#listed = undefined
    })
  }

  /** readline pauses stdin until it has its answer, so Ctrl-C must reach us through the gate. */
  async answer(line: string, done: CompletionCallback): Promise<void> {
    const { gate, above } = this.#options
    const text = `${above()}${line}`
    gate.hold()
    this.#isGivenUp = false
    const answer = this.#ask(text)
    const { prefix, insertion, list } = await Promise.race([
      answer,
      this.#endOfPatience(answer, text),
    ])
    this.#end?.()
    this.#end = undefined
    gate.release()
    const typed = this.#options.line()
    if (typed === undefined) return
    // the rest of a paste goes on while its Tab is answered
    if (typed.beforeCursor !== line) return done(null, [[], ''])
    if (this.#isGivenUp) {
      done(null, [[], ''])
      return typed.pressInterrupt()
    }
    const isLonger = insertion !== prefix
    if (!isLonger && list !== undefined) this.#show(text, list)
    done(null, isLonger ? [[insertion], prefix] : [[], ''])
  }

  /**
   * Gives up a completion that runs, and the line with it: Ctrl-C does the same however fast the registry
   * is, and what is typed next is not added to what was given up.
   */
  interrupt(): void {
    this.#isGivenUp = true
    this.#end?.()
  }

  /** The answer to a Tab that came too late for it, unless something else is being typed by now. */
  again(text: string): void {
    const { gate, above } = this.#options
    const line = this.#options.line()
    if (line !== undefined && !gate.held && `${above()}${line.beforeCursor}` === text)
      line.pressTab()
  }

  /**
   * At the first Tab: readline itself lists at the second. Those who are used to two of them get the
   * list once.
   */
  #show(text: string, list: string): void {
    if (this.#listed === text) return
    this.#options.print(list)
    this.#listed = text
  }

  async #ask(text: string): Promise<TabAnswer> {
    try {
      return await this.#options.complete(text)
    } catch {
      return nothing // a client that cannot be opened says so at Enter, not in mid-line
    }
  }

  /** Nothing, at Ctrl-C or at the time limit; after the latter the answer may still come. */
  async #endOfPatience(answer: Promise<TabAnswer>, text: string): Promise<TabAnswer> {
    const isLate = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), limitMs)
      this.#end = () => {
        clearTimeout(timer)
        resolve(false)
      }
    })
    if (isLate) void answer.then(({ list }) => list !== undefined && this.again(text))
    return nothing
  }
}
