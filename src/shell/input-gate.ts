/**
 * Stands between stdin and the REPL and lets one line through at a time. node:repl reads on while an
 * async `eval` runs (nodejs/node#39387): a second line typed meanwhile is evaluated at once and its
 * result printed first. While the gate is held, keys wait; Ctrl-C and Ctrl-Z are seen at once.
 */
import { Readable } from 'node:stream'
import { untilAborted } from '../errors/until-aborted.ts'
import { TypedAnswer } from './typed-answer.ts'

export type TerminalInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean
  readonly isRaw?: boolean
  readonly setRawMode?: (mode: boolean) => unknown
}

export type GateEvents = {
  /** Ctrl-C while held. */
  readonly onInterrupt: () => void
  /** Ctrl-Z while held. */
  readonly onSuspend: () => void
}

const interruptKey = 0x03
const endKey = 0x04
const suspendKey = 0x1a
const tabKey = 0x09
const carriageReturn = 0x0d
const lineFeed = 0x0a

export class InputGate extends Readable {
  readonly isTTY: boolean
  isRaw = false
  readonly #source: TerminalInput
  readonly #events: GateEvents
  #waiting: Buffer[] = []
  #holders = 0
  #settling = false
  #ended = false
  #answer: TypedAnswer | undefined
  #lastKey = 0

  constructor(source: TerminalInput, events: GateEvents) {
    super({ highWaterMark: 0 })
    this.#source = source
    this.#events = events
    this.isTTY = source.isTTY === true
    source.on('data', (chunk: Buffer | string) => this.#receive(Buffer.from(chunk)))
    source.on('end', () => this.#end())
    source.on('error', () => this.#end()) // a terminal that went away (EIO) is the end of input
  }

  setRawMode(mode: boolean): this {
    this.#source.setRawMode?.(mode)
    this.isRaw = mode
    return this
  }

  get held(): boolean {
    return this.#holders > 0
  }

  /** Whether the last key that went through was Ctrl-D, which ends the text of `.editor`. */
  get endedByControlD(): boolean {
    return this.#lastKey === endKey
  }

  /** A statement starts: what is typed from now on waits. Each hold needs its release. */
  hold(): void {
    this.#holders += 1
  }

  release(): void {
    this.#holders = Math.max(0, this.#holders - 1)
    this.#feed()
  }

  /** Gives the terminal to another program until the promise settles. */
  async lend<Result>(run: () => Promise<Result>): Promise<Result> {
    const wasRaw = this.isRaw
    this.#source.pause()
    if (wasRaw) this.setRawMode(false)
    try {
      return await run()
    } finally {
      if (wasRaw) this.setRawMode(true)
      this.#source.resume()
    }
  }

  /**
   * Takes the next line for the running statement; the REPL and its history see nothing of it.
   * @param echo Writes to the screen what is typed.
   */
  async ask(echo: (text: string) => void, signal: AbortSignal): Promise<string> {
    const answer = new TypedAnswer(echo)
    this.#answer = answer
    this.#source.resume() // readline pauses it after a line
    try {
      return await untilAborted(answer.line, signal)
    } finally {
      if (this.#answer === answer) this.#answer = undefined
    }
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#source.pause()
    done(error)
  }

  #receive(chunk: Buffer): void {
    let rest = chunk
    for (let at = this.#heldKey(rest); at >= 0; at = this.#heldKey(rest)) {
      const key = rest[at]
      const before = rest.subarray(0, at)
      rest = rest.subarray(at + 1)
      if (key === interruptKey) {
        // What was typed ahead was meant for after the statement that is now given up.
        this.#waiting = []
        this.#events.onInterrupt()
      } else {
        this.#waiting.push(...splitLines(before))
        this.#events.onSuspend()
      }
    }
    this.#waiting.push(...splitLines(this.#unanswered(rest)))
    this.#feed()
  }

  /** What is left of the keys when a question has taken its own. */
  #unanswered(keys: Buffer): Buffer {
    if (this.#answer === undefined) return keys
    const rest = this.#answer.take(keys)
    if (rest !== undefined) this.#answer = undefined
    return rest ?? Buffer.alloc(0)
  }

  #heldKey(chunk: Buffer): number {
    return this.held ? chunk.findIndex((byte) => byte === interruptKey || byte === suspendKey) : -1
  }

  #end(): void {
    this.#ended = true
    this.#feed()
  }

  #feed(): void {
    while (!this.held && !this.#settling) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      this.#lastKey = next.at(-1) ?? 0
      this.push(next)
      if (endsLine(this.#lastKey) || isTab(next)) this.#settle()
    }
    if (this.#ended && this.#waiting.length === 0 && !this.held && !this.#settling) this.push(null)
  }

  /** A line and the Ctrl-C after it may come at once, when the program was busy: while it starts. */
  #lookAgain(): void {
    const ahead = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#receive(ahead)
  }

  /** The REPL needs a turn of the event loop to take a line, evaluate it and hold the gate. */
  #settle(): void {
    this.#settling = true
    setImmediate(() => {
      this.#settling = false
      if (this.held) this.#lookAgain()
      this.#feed()
    })
  }
}

function isTab(keys: Buffer): boolean {
  return keys.length === 1 && keys[0] === tabKey
}

function endsLine(key: number): boolean {
  return key === carriageReturn || key === lineFeed || key === endKey
}

/**
 * Cuts after each line end, and after Ctrl-D, which runs the text of `.editor` as Enter runs a line;
 * `\r\n` stays together. They are single bytes in UTF-8. A Tab at the start of what is no line was pressed
 * just before the rest, which waits for its answer; readline takes it for a part of pasted text.
 */
function splitLines(chunk: Buffer): readonly Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  if (chunk[0] === tabKey && chunk.length > 1 && !chunk.some(endsLine)) {
    parts.push(chunk.subarray(0, 1))
    start = 1
  }
  for (let i = 0; i < chunk.length; i++) {
    const isWithNext = chunk[i] === carriageReturn && chunk[i + 1] === lineFeed
    if (!endsLine(chunk[i] ?? 0) || isWithNext) continue
    parts.push(chunk.subarray(start, i + 1))
    start = i + 1
  }
  if (start < chunk.length) parts.push(chunk.subarray(start))
  return parts
}
