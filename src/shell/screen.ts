/**
 * A thin stream around stdout for the REPL. readline listens to `resize` and redraws prompt and line;
 * while a statement runs there is no prompt, and it would draw over the bars (to see it: resize a
 * terminal in mid-pull without this). So a resize reaches the REPL only when `idle` says so.
 */
import { Writable } from 'node:stream'

export type TerminalOutput = NodeJS.WritableStream & {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export type ScreenOptions = {
  readonly idle: () => boolean
  /** Sees what the REPL writes and gives what is written instead. */
  readonly replace: (text: string) => string
}

export class Screen extends Writable {
  readonly isTTY: boolean
  readonly #target: TerminalOutput
  readonly #options: ScreenOptions
  readonly #onResize: () => void

  constructor(target: TerminalOutput, options: ScreenOptions) {
    super({ decodeStrings: false })
    this.#target = target
    this.#options = options
    this.isTTY = target.isTTY === true
    this.#onResize = () => {
      if (options.idle()) this.emit('resize')
    }
    target.on('resize', this.#onResize)
  }

  get columns(): number | undefined {
    return this.#target.columns
  }

  get rows(): number | undefined {
    return this.#target.rows
  }

  // The callback comes at once: with the asynchronous one, an endless synchronous loop hid the rest
  // of the line that started it.
  override _write(chunk: string | Buffer, _encoding: string, done: () => void): void {
    this.#target.write(this.#options.replace(chunk.toString()))
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#target.off('resize', this.#onResize)
    done(error)
  }
}
