/** Everything the shell prints goes through here, so that bars are out of the way when it appears. */
import { formatRung, type ShownRung } from '../terminal/doctor-checklist.ts'
import { formatErrorJson } from '../terminal/error-message.ts'
import { LiveArea } from '../terminal/live-area.ts'
import type { ProgressEvent, PullProgress } from '../terminal/pull-progress.ts'
import { type TerminalStyle, terminalStyle } from '../terminal/terminal-style.ts'
import type { Environment } from './history.ts'
import type { StatementProgress } from './interrupt.ts'
import type { TerminalOutput } from './screen.ts'
import type { CallEvent } from './shell-client.ts'

/** What `.json`, `.quiet`, `.time` and `--debug` switch. */
export type OutputModes = { json: boolean; quiet: boolean; time: boolean; debug: boolean }

export type OutputOptions = {
  readonly stdout: TerminalOutput
  readonly stderr: TerminalOutput
  readonly env: Environment
  /** Where bars are drawn: at a prompt on stdout, in a script on stderr. */
  readonly bars: TerminalOutput
  readonly modes: OutputModes
  /** Prints where the prompt may be: the line being typed comes back below. Default: just prints. */
  readonly beside?: (print: () => void) => void
}

export class ShellOutput {
  readonly modes: OutputModes
  readonly #options: OutputOptions
  #progress: PullProgress | undefined
  /** Below a doctor's rungs, while the next is looked at. */
  #looking: LiveArea | undefined
  #recorder: ((text: string) => void) | undefined
  /** While a question is asked: what brings back what is drawn. */
  #resumes: (() => void)[] | undefined

  constructor(options: OutputOptions) {
    this.#options = options
    this.modes = options.modes
  }

  get style(): TerminalStyle {
    return terminalStyle(this.#options.stdout, this.#options.env)
  }

  get errorStyle(): TerminalStyle {
    return terminalStyle(this.#options.stderr, this.#options.env)
  }

  /** A result, on stdout, as one or more whole lines. */
  result(text: string): void {
    this.#print(() => this.#options.stdout.write(`${text}\n`))
    this.#recorder?.(text)
  }

  /** What is not a result: errors, warnings, remarks. On stderr. */
  notice(text: string): void {
    this.#print(() => this.#options.stderr.write(`${text}\n`))
    this.#recorder?.(text)
  }

  /** With `--json` an error is a result: one line of JSON on stdout. */
  errorJson(error: unknown, foreignCode: string): void {
    this.result(formatErrorJson(error, foreignCode))
  }

  /** Sees every line that is printed, for `.save` and `--check`. */
  record(recorder: ((text: string) => void) | undefined): void {
    this.#recorder = recorder
  }

  get isRecorded(): boolean {
    return this.#recorder !== undefined
  }

  /** Raw output of the running statement (`console.log`), with the bars out of the way. */
  write(stream: 'stdout' | 'stderr', text: string): void {
    this.#print(() => this.#options[stream].write(text))
    this.#recorder?.(text.replace(/\n$/, ''))
  }

  /** Where the events of one statement's pulls go. The code of the bars is loaded with the first. */
  openProgress(): StatementProgress & { readonly close: () => void } {
    let closed = false
    const close = (): void => {
      closed = true
      this.#closeLive()
    }
    const follow = (): ReturnType<StatementProgress['follow']> => {
      const bars = this.#lazyBars(() => closed)
      return {
        onProgress: (event: CallEvent) => {
          if (closed) return
          if (event.type === 'rung') this.#rung(event.rung)
          else if (event.type === 'line') this.#pullLine(event.text)
          else if (event.type === 'note') this.notice(event.text)
          else bars.onProgress(event)
        },
        done: bars.done,
      }
    }
    return { follow, pause: () => this.#pause(), detach: close, close }
  }

  /** The program ends while a line is being typed: what comes next on the screen begins below it. */
  leaveTypedLine(): void {
    if (this.#options.beside !== undefined) this.#options.stdout.write('\n')
  }

  #pullLine(text: string): void {
    if (!this.modes.json && !this.modes.quiet) this.result(text)
  }

  /** Events that come while the code is loaded are kept; there are a handful. */
  #lazyBars(isClosed: () => boolean): ReturnType<PullProgress['follow']> {
    const early: ProgressEvent[] = []
    let bars: ReturnType<PullProgress['follow']> | undefined
    let isDone = false
    const load = async (): Promise<void> => {
      const progress = await this.#openBars(isClosed)
      if (progress === undefined || isDone) return
      bars = progress.follow()
      for (const event of early.splice(0)) bars.onProgress(event)
    }
    return {
      onProgress: (event) => {
        if (bars !== undefined) return bars.onProgress(event)
        if (early.push(event) === 1) void load()
        return undefined
      },
      done: () => {
        isDone = true
        bars?.done()
      },
    }
  }

  async #openBars(isClosed: () => boolean): Promise<PullProgress | undefined> {
    const { PullProgress } = await import('../terminal/pull-progress.ts')
    if (isClosed()) return undefined
    this.#looking?.close()
    this.#looking = undefined
    const { bars, env } = this.#options
    if (this.#progress !== undefined) return this.#progress
    this.#progress = new PullProgress({
      line: (text) => this.#options.stdout.write(`${text}\n`),
      note: (text) => this.#options.stderr.write(`${text}\n`),
      write: (text) => bars.write(text),
      style: () => terminalStyle(bars, env),
    })
    this.#resumes?.push(this.#progress.pause())
    return this.#progress
  }

  #rung(rung: ShownRung): void {
    if (this.modes.json || this.modes.quiet) return
    const { bars, env } = this.#options
    this.#looking ??= new LiveArea({
      write: (text) => bars.write(text),
      columns: () => terminalStyle(bars, env).width,
      lines: () => {
        const { redraws, glyphs } = terminalStyle(bars, env)
        return redraws ? [`${glyphs.ellipsis} looking`] : []
      },
    })
    this.result(formatRung(rung, this.style).join('\n'))
  }

  /** Bars that another call opens meanwhile wait too. */
  #pause(): () => void {
    if (this.#resumes !== undefined) return () => undefined // the first question holds for both
    const live = this.#progress ?? this.#looking
    this.#resumes = live === undefined ? [] : [live.pause()]
    return () => {
      const resumes = this.#resumes ?? []
      this.#resumes = undefined
      for (const resume of resumes) resume()
    }
  }

  #closeLive(): void {
    this.#progress?.close()
    this.#progress = undefined
    this.#looking?.close()
    this.#looking = undefined
  }

  #print(print: () => void): void {
    const live = this.#progress ?? this.#looking
    if (live !== undefined) live.print(print)
    else if (this.#options.beside !== undefined) this.#options.beside(print)
    else print()
  }
}
