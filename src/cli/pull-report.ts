/** What a pull says while it runs: lines on stdout, notes on stderr, bars on a terminal. */
import type { PullEvent } from '../client/pull-event.ts'
import type { PullProgress } from '../terminal/pull-progress.ts'
import type { Session } from './session.ts'

/** Smaller layers don't need it, and after it each thread takes twice as long to start. */
const tunedFromBytes = 2_097_152

type BarEvent = Exclude<PullEvent, { readonly text: string }>

/** One for each pull; whoever makes it closes it before anything else is printed. */
export class PullReport {
  readonly #session: Session
  #progress: PullProgress | undefined
  #show: ((event: PullEvent) => void) | undefined
  /** The latest events while the bars are being loaded: a pull that has nothing to do needs none. */
  #waiting: BarEvent[] | undefined
  #isClosed = false

  constructor(session: Session) {
    this.#session = session
  }

  readonly onProgress = (event: PullEvent): void => {
    if (event.type === 'layer-start' && event.bytes >= tunedFromBytes) this.#session.tuneEngine()
    if (this.#show !== undefined) this.#show(event)
    else if (event.type === 'line') this.#line(event.text)
    else if (event.type === 'note') this.#note(event.text)
    else this.#wait(event)
  }

  /** Twice is harmless. */
  close(): void {
    this.#isClosed = true
    this.#progress?.close()
    this.#session.live = undefined
  }

  #wait(event: BarEvent): void {
    const { flags } = this.#session
    if (flags.quiet || !this.#session.style().redraws) return
    if (this.#waiting === undefined) {
      this.#waiting = []
      void this.#load()
    }
    this.#waiting.push(event)
  }

  async #load(): Promise<void> {
    const { PullProgress } = await import('../terminal/pull-progress.ts')
    if (this.#isClosed) return
    const { stderr } = this.#session
    this.#progress = new PullProgress({
      line: (text) => this.#line(text),
      note: (text) => this.#note(text),
      write: (text) => stderr.write(text),
      style: () => this.#session.style(),
    })
    this.#session.live = this.#progress
    this.#show = this.#progress.follow().onProgress
    for (const event of this.#waiting ?? []) this.#show(event)
  }

  #line(text: string): void {
    const { quiet, json } = this.#session.flags
    if (!quiet && !json) this.#session.stdout.line(text)
  }

  #note(text: string): void {
    if (!this.#session.flags.quiet) this.#session.stderr.line(`note: ${text}`)
  }
}
