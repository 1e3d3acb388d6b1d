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
  /** What to print in place of the REPL's own words for a dot-command it does not know. */
  readonly unknownCommand: () => string
}

// node:repl has no hook for a command it does not know. Should the words change there, users see
// Node's message instead of ours, nothing else.
const replUnknownCommand = 'Invalid REPL keyword\n'

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
    const isUnknown = chunk.toString() === replUnknownCommand
    this.#target.write(isUnknown ? `${this.#options.unknownCommand()}\n` : chunk)
    done()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#target.off('resize', this.#onResize)
    done(error)
  }
}
