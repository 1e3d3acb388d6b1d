/** What one shell session holds, and how it runs one statement. It reads no keys and draws no prompt. */
import { stripVTControlCharacters } from 'node:util'
import type { ResultKind } from './api-help.ts'
import { foreignCodeOf, formatFailure, isCancelled, isInterruptedScript } from './error-report.ts'
import { type Evaluation, evaluate, type SourcePlace } from './evaluate.ts'
import { currentStatement, Statement } from './interrupt.ts'
import { mistypedMember } from './mistyped-name.ts'
import type { ShellOutput } from './output.ts'
import { ClientCalls, createSessionClient } from './session-client.ts'
import { type CreateClient, isShownImage, placeOf, type ShellClient } from './shell-client.ts'
import { Termination } from './termination.ts'
import { Transcript } from './transcript.ts'

export type SessionOptions = {
  readonly client: ShellClient
  readonly createClient: CreateClient
  readonly output: ShellOutput
  /** Milliseconds since the epoch. */
  readonly now: () => number
  /** See ShellOptions. */
  readonly cleanUp?: (() => void) | undefined
}

export type StatementSource = {
  readonly text: string
  /** What stack traces and messages call it. */
  readonly filename: string
  /** Where it starts in the file. Default 1. */
  readonly line?: number
  /** Begins the message of an error, with the line: `tour.js:8: error …`. Default: no such beginning. */
  readonly label?: string
  /** See EvaluateOptions. */
  readonly onStart?: () => void
  /** See EvaluateOptions. */
  readonly synchronously?: <Result>(run: () => Result) => Result
}

/** How a statement ended. 'abandoned': Ctrl-C twice, its work goes on unseen. */
export type Outcome = 'done' | 'failed' | 'cancelled' | 'abandoned' | 'incomplete' | 'empty'

export class Session {
  readonly output: ShellOutput
  readonly calls: ClientCalls
  readonly transcript: Transcript = new Transcript()
  readonly now: () => number
  readonly #createClient: CreateClient
  #client: ShellClient
  #sessionClient: ShellClient
  #running: Statement | undefined
  #lastError: unknown
  #exitCode: number | undefined
  readonly #termination: Termination

  constructor(options: SessionOptions) {
    this.output = options.output
    this.now = options.now
    this.#createClient = options.createClient
    const termination = new Termination({
      clearScreen: () => {
        if (this.#running === undefined) this.output.leaveTypedLine()
        else this.#running.progress.detach()
      },
      abort: () => {
        this.#running?.cancel()
        this.calls.cancel()
      },
      settled: () => this.calls.settled(),
      cleanUp: options.cleanUp ?? (() => undefined),
    })
    this.#termination = termination
    this.calls = new ClientCalls((isBusy) => termination.listen(isBusy))
    this.#client = options.client
    this.#sessionClient = createSessionClient(options.client, this.calls)
  }

  /** The client itself, for completion, which must not belong to a statement. */
  get client(): ShellClient {
    return this.#client
  }

  /** As `client`, of the client that a global name stands for; the session's own for any other. */
  clientNamed(name: string): ShellClient {
    const value: unknown = Object.getOwnPropertyDescriptor(globalThis, name)?.value
    return this.calls.clientBehind(value) ?? this.#client
  }

  /** The client as people hold it. */
  get sessionClient(): ShellClient {
    return this.#sessionClient
  }

  get prompt(): string {
    const { name } = this.#client
    const place = placeOf(this.#client)
    return `${name}${place === undefined ? '' : `:${place}`}> `
  }

  get lastError(): unknown {
    return this.#lastError
  }

  /** Of the image that was pulled or shown last. */
  get lastImagePath(): string | undefined {
    return this.calls.lastImagePath
  }

  /** Set once someone asked to leave. */
  get exitCode(): number | undefined {
    return this.#exitCode
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  exit(code: number): void {
    this.#exitCode ??= code
  }

  /** The user is gone: calls that nobody awaited are cancelled, and what they began is removed. */
  leave(): Promise<void> {
    return this.#termination.settle()
  }

  async use(
    name: string | undefined,
    settings: { readonly [name: string]: string },
  ): Promise<void> {
    const client = await this.#createClient(name, settings)
    this.#sessionClient = createSessionClient(client, this.calls)
    this.#client = client
    setGlobal('client', this.#sessionClient)
  }

  /** @returns What Ctrl-C did, or undefined when nothing runs. */
  interrupt(): ReturnType<Statement['interrupt']> | undefined {
    const statement = this.#running
    // `Promise.all(jobs)` waits for calls of earlier statements: without its own, those are meant.
    if (statement?.hasOperations === false) this.calls.cancelFor(statement)
    return statement?.interrupt()
  }

  /** Runs a statement of JavaScript and prints its value or its error. */
  async run(source: StatementSource): Promise<Outcome> {
    const work = async (): Promise<Outcome> => {
      const { text, label, ...options } = source
      const evaluation = await evaluate(text, options)
      // the loop has ended, the calls that the statement made before it have not
      const isInterrupted = evaluation.kind === 'error' && isInterruptedScript(evaluation.error)
      if (isInterrupted) currentStatement.getStore()?.cancel()
      const shown = this.#show(evaluation, source)
      // a stream that is shown may stand still
      return currentStatement.getStore()?.untilLeft(shown) ?? shown
    }
    return this.supervise(work, prefixOf(source, undefined))
  }

  /** Runs anything that Ctrl-C must reach, with the bars of its pulls; its failure is shown. */
  async supervise(work: () => Promise<Outcome>, prefix = ''): Promise<Outcome> {
    const progress = this.output.openProgress()
    const statement = new Statement(progress)
    const outer = this.#running
    this.#running = statement
    const startedAt = performance.now()
    try {
      const running = currentStatement.run(statement, () =>
        work().finally(() => statement.cleanedUp()),
      )
      const outcome = await Promise.race([running, statement.abandoned])
      if (outcome === 'abandoned') running.catch(() => undefined) // unseen from now on
      return outcome
    } catch (error) {
      return this.#fail(error, undefined, prefix)
    } finally {
      progress.close()
      this.#running = outer
      await this.#reportTime(performance.now() - startedAt)
    }
  }

  /**
   * As `run`, kept for `.save` with what it prints. What `.load` runs belongs to the `.load`: on their
   * own its statements would run twice when the saved session is run again.
   */
  async record(source: string, work: () => Promise<Outcome>): Promise<Outcome> {
    if (this.output.isRecorded) return work()
    const { prompt } = this
    const output: string[] = []
    this.output.record((text) => output.push(...stripVTControlCharacters(text).split('\n')))
    const outcome = await work().finally(() => this.output.record(undefined))
    if (outcome !== 'incomplete' && outcome !== 'empty') {
      this.transcript.add({ prompt, source, output, succeeded: outcome === 'done' })
    }
    return outcome
  }

  /** Prints a value as the prompt does, and makes it `_`. */
  async showValue(value: unknown): Promise<void> {
    this.#keep(value)
    await this.printValue(value)
  }

  async printValue(value: unknown, kind?: ResultKind): Promise<void> {
    const { output } = this
    if (typeof value === 'function' && !output.modes.json) {
      const { helpText, isExplained } = await import('./help-text.ts')
      if (isExplained(this, value)) return output.result(helpText(this, value))
    }
    const { renderValue, renderJson } = await import('./render.ts')
    const known = kind ?? this.calls.kindOf(value)
    const text = output.modes.json
      ? await renderJson(value, known)
      : await renderValue(value, {
          style: output.style,
          kind: known,
          isTold: this.calls.takeFresh(value),
          now: this.now(),
        })
    if (text !== undefined && !currentStatement.getStore()?.isLeft) output.result(text)
  }

  /** Prints an error, and makes it `_error`. */
  showError(error: unknown, place: SourcePlace | undefined, prefix: string): void {
    this.#lastError = error
    setGlobal('_error', error)
    if (this.output.modes.json) {
      this.output.errorJson(error, foreignCodeOf(error))
      return
    }
    const failure = { error, place, prefix, debug: this.output.modes.debug }
    this.output.notice(formatFailure(failure, this.output.errorStyle))
  }

  async #show(evaluation: Evaluation, source: StatementSource): Promise<Outcome> {
    const isSeen = currentStatement.getStore()?.isAbandoned !== true
    if (evaluation.kind === 'value') {
      if (isSeen) await this.#showResult(evaluation.value, evaluation.isAssigned)
      if (isSeen && evaluation.value === undefined) this.#adviseOn(source.text)
      return 'done'
    }
    if (evaluation.kind !== 'error') return evaluation.kind
    if (!isSeen) return 'abandoned'
    return this.#fail(evaluation.error, evaluation.place, prefixOf(source, evaluation.place))
  }

  /** An image that got a name has had its `Success!` line from the pull. */
  async #showResult(value: unknown, isAssigned: boolean): Promise<void> {
    this.#keep(value)
    const isTold = isAssigned && (Array.isArray(value) ? value : [value]).every(isShownImage)
    if (!this.output.modes.quiet && !(isTold && !this.output.modes.json))
      await this.printValue(value)
  }

  /** `client.pul` is no error in JavaScript, only undefined. */
  #adviseOn(source: string): void {
    const mistyped = mistypedMember(source)
    if (mistyped === undefined) return
    this.output.notice(`there is no ${mistyped.typed}; did you mean ${mistyped.near}?`)
  }

  #keep(value: unknown): void {
    if (value === undefined) return
    setGlobal('_', value)
    this.calls.noteImage(value)
  }

  #fail(error: unknown, place: SourcePlace | undefined, prefix: string): Outcome {
    this.showError(error, place, prefix)
    return isCancelled(error) ? 'cancelled' : 'failed'
  }

  async #reportTime(durationMs: number): Promise<void> {
    if (!this.output.modes.time) return
    const { formatDuration } = await import('../terminal/quantities.ts')
    this.output.notice(this.output.errorStyle.colours.dim(formatDuration(durationMs)))
  }
}

function prefixOf(source: StatementSource, place: SourcePlace | undefined): string {
  return source.label === undefined ? '' : `${source.label}:${place?.line ?? source.line ?? 1}: `
}

/** An own, configurable property, so that users may overwrite it. */
export function setGlobal(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, {
    value,
    configurable: true,
    enumerable: false,
    writable: true,
  })
}
