/**
 * The lines at the bottom of the output that are redrawn while something runs. Everything else that
 * is printed must go through `print`, which takes the lines away first and puts them back after.
 */
import { textWidth } from './text-width.ts'

export type LiveAreaOptions = {
  /** Where the lines go. */
  readonly write: (text: string) => void
  /** Width of the terminal at this moment. */
  readonly columns: () => number
  /** What to show now; at most `columns() - 1` cells each, so that no line wraps. */
  readonly lines: () => readonly string[]
}

const frameMs = 100

export class LiveArea {
  readonly #options: LiveAreaOptions
  #drawn: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  #lastFrame = Number.NEGATIVE_INFINITY
  #closed = false
  /** What is printed while something else has the bottom of the screen; undefined when nothing has. */
  #held: (() => void)[] | undefined

  constructor(options: LiveAreaOptions) {
    this.#options = options
  }

  /** Something changed: the lines are drawn again within a tenth of a second, never more often. */
  update(): void {
    if (this.#closed || this.#held !== undefined || this.#timer !== undefined) return
    const wait = this.#lastFrame + frameMs - performance.now()
    if (wait <= 0) {
      this.#draw()
      return
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#draw()
    }, wait)
    this.#timer.unref()
  }

  /** Prints whole lines above the live ones. `output` may be another stream on the same terminal. */
  print(output: () => void): void {
    if (this.#held !== undefined) {
      this.#held.push(output)
      return
    }
    this.erase()
    output()
    if (!this.#closed) this.update()
  }

  /** Takes the lines off the screen; they come back with the next update. */
  erase(): void {
    if (this.#drawn.length === 0) return
    const columns = this.#options.columns()
    // A terminal that got narrower has wrapped the lines we drew.
    const rows = this.#drawn.reduce((sum, line) => sum + wrappedRows(line, columns), 0)
    this.#drawn = []
    this.#options.write(`\r${rows > 1 ? `\u001b[${rows - 1}A` : ''}\u001b[J`)
  }

  /**
   * Keeps the screen as it is for a question: no lines, and what is printed waits.
   * @returns What ends the pause; calling it twice is harmless.
   */
  pause(): () => void {
    if (this.#held !== undefined) return () => undefined // the first question holds it for both
    this.erase()
    this.#held = []
    return () => this.#resume()
  }

  /** Erases the lines for good. Closing twice is harmless. */
  close(): void {
    this.#resume()
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.erase()
  }

  #resume(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const output of held) output()
    if (!this.#closed) this.update()
  }

  #draw(): void {
    if (this.#closed || this.#held !== undefined) return
    this.#lastFrame = performance.now()
    this.erase()
    const lines = this.#options.lines()
    if (lines.length === 0) return
    this.#drawn = lines
    this.#options.write(lines.join('\n'))
  }
}

function wrappedRows(line: string, columns: number): number {
  return Math.max(1, Math.ceil(textWidth(line) / Math.max(1, columns)))
}
