/**
 * The shell in a terminal: node:repl reads and edits lines, everything else is ours. The order of boot
 * matters: nothing but this file and what draws the prompt is loaded before it, and the evaluation loop
 * starts before the REPL.
 */
import { type REPLServer, Recoverable, start } from 'node:repl'
import { formatBanner } from '../terminal/banner.ts'
import { terminalStyle } from '../terminal/terminal-style.ts'
import { dotCommandNames } from './command-names.ts'
import type { Engine } from './engine.ts'
import { EvaluationLoop } from './evaluation-loop.ts'
import { History, historyPath } from './history.ts'
import { InputGate } from './input-gate.ts'
import { findRcFile } from './rc-file.ts'
import { Screen } from './screen.ts'
import type { Outcome } from './session.ts'
import type { ShellOptions } from './shell-options.ts'
import { TypedLine } from './typed-line.ts'

type EvalCallback = (error: Error | null) => void
type Completion = [candidates: string[], prefix: string]
type CompletionCallback = (error: null, completion: Completion) => void

const idleBeforePrewarmMs = 250
/** Typing never waits longer than this for a Tab. */
const completionLimitMs = 300

/** @returns The exit code, once the user has left. */
export async function runPrompt(options: ShellOptions, home: string): Promise<number> {
  const prompt = new Prompt(options, home)
  prompt.greet()
  await prompt.runRcFile(home)
  return prompt.run()
}

class Prompt {
  readonly #options: ShellOptions
  readonly #history: History
  readonly #gate: InputGate
  readonly #screen: Screen
  readonly #loop = new EvaluationLoop()
  #engine: Engine | undefined
  #opening: Promise<Engine> | undefined
  #server: REPLServer | undefined
  #line: TypedLine | undefined
  #typed = ''
  #isLent = false
  #isSynchronous = false
  #endCompletion: (() => void) | undefined
  #endOpening: (() => void) | undefined
  #exit: (code: number) => void = () => undefined

  constructor(options: ShellOptions, home: string) {
    this.#options = options
    this.#history = new History({ path: historyPath(options.env, home), now: Date.now })
    this.#gate = new InputGate(options.stdin, {
      onInterrupt: () => this.#interrupt(),
      onSuspend: () => this.#suspend(),
    })
    this.#screen = new Screen(options.stdout, {
      idle: () => !this.#gate.held,
      replace: (text) => this.#replaceWords(text),
    })
    options.questions?.answerWith((question, signal) => this.#ask(question, signal))
    process.on('unhandledRejection', this.#onBackgroundError)
    process.on('uncaughtException', this.#onBackgroundError)
  }

  greet(): void {
    const { client, flags, env, stdout, stderr } = this.#options
    if (flags.quiet !== true) {
      const { colours } = terminalStyle(stdout, env)
      const isFirst = this.#history.oldestFirst.length === 0
      stdout.write(`${formatBanner({ client: client.name, database: client.database })}\n`)
      stdout.write(`${colours.dim(isFirst ? firstSteps : reminder)}\n`)
    }
    if (this.#history.problem !== undefined) stderr.write(`${this.#history.problem}\n`)
  }

  async runRcFile(home: string): Promise<void> {
    const { env, flags, stderr } = this.#options
    const rc = flags.norc === true ? { kind: 'none' as const } : findRcFile(env, home)
    if (rc.kind === 'refused') stderr.write(`${rc.text}\n`)
    if (rc.kind !== 'found') return
    const { runRcFile } = await import('./run-rc-file.ts')
    await runRcFile((await this.#open()).context, rc.path)
  }

  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#exit = resolve
    })
    const server = this.#startServer()
    this.#server = server
    this.#line = new TypedLine(server, (text) => this.#screen.write(text))
    for (const name of dotCommandNames) {
      server.defineCommand(name, { action: (argument) => this.#takeCommand(name, argument) })
    }
    Object.assign(server, { history: this.#history.newestFirst })
    server.prependListener('line', (line) => {
      this.#typed = line
    })
    server.once('exit', () => this.#close())
    setTimeout(() => void this.#prewarm(), idleBeforePrewarmMs).unref()
    return ended
  }

  #startServer(): REPLServer {
    const { name, place } = this.#options.client
    return start({
      prompt: this.#engine?.session.prompt ?? `${name}${place === undefined ? '' : `:${place}`}> `,
      input: this.#gate,
      output: this.#screen,
      terminal: true,
      // Another realm would make our lists no Array and our errors no Error there, for 25 ms more.
      useGlobal: true,
      preview: false,
      eval: (code, _context, _file, done) => this.#takeInput(code, done as EvalCallback),
      completer: (line: string, done: CompletionCallback) => void this.#complete(line, done),
    })
  }

  async #open(): Promise<Engine> {
    this.#opening ??= this.#openNow()
    try {
      this.#engine = await this.#opening
      return this.#engine
    } catch (error) {
      this.#opening = undefined // settings may be mended, and the next statement tries again
      throw error
    }
  }

  async #openNow(): Promise<Engine> {
    const { openEngine } = await import('./engine.ts')
    const { defineResults } = await import('./globals.ts')
    const engine = await openEngine({
      options: this.#options,
      history: this.#history,
      clearScreen: () => this.#screen.write('\u001b[H\u001b[2J\u001b[3J'),
      lend: (run) => this.#lend(run),
      synchronously: (run) => this.#synchronously(run),
      aside: (print) => this.#aside(print),
      onLateNames: (line) => this.#completeAgain(line),
    })
    defineResults()
    return engine
  }

  /** The gate is held from here on; the work itself runs in the loop, outside the REPL's domain. */
  #takeInput(code: string, done: EvalCallback): void {
    // Node 24 and 26 put `\r` between the lines of a statement.
    const text = code.replace(/\r\n?/g, '\n')
    const isEdited = this.#gate.endedByControlD
    const run = async (): Promise<Outcome> => {
      if (text.trim() === '') return 'empty'
      const engine = await this.#openUnlessInterrupted()
      if (engine === undefined) return this.#giveUp(text)
      return isEdited ? engine.runEditedText(text) : engine.runText(text)
    }
    this.#hold(run, (outcome) => {
      done(outcome === 'incomplete' ? new Recoverable(new SyntaxError('more lines')) : null)
    })
  }

  #takeCommand(name: string, argument: string): void {
    const run = async (): Promise<Outcome> => {
      const engine = await this.#openUnlessInterrupted()
      return engine?.runCommand(name, argument.trim()) ?? this.#giveUp(`.${name} ${argument}`)
    }
    this.#hold(run, () => {
      this.#server?.clearBufferedCommand()
      this.#server?.displayPrompt()
    })
  }

  /** Ctrl-C before there is a session to cancel: the modules load on, the statement never starts. */
  async #openUnlessInterrupted(): Promise<Engine | undefined> {
    if (this.#engine !== undefined) return this.#engine
    const interrupted = new Promise<undefined>((resolve) => {
      this.#endOpening = () => resolve(undefined)
    })
    const engine = await Promise.race([this.#open(), interrupted])
    this.#endOpening = undefined
    return engine
  }

  #giveUp(text: string): Outcome {
    this.#history.add(text.trim())
    this.#options.stderr.write('^C\ncancelled\n')
    return 'cancelled'
  }

  /** @param onDone What to tell the REPL, unless the user asked to leave meanwhile. */
  #hold(run: () => Promise<Outcome>, onDone: (outcome: Outcome) => void): void {
    this.#gate.hold()
    const onSignal = (): void => this.#interrupt()
    process.on('SIGINT', onSignal)
    this.#loop.push(async () => {
      try {
        const outcome = await this.#settle(run)
        if (!this.#isLeaving(outcome)) onDone(outcome)
      } finally {
        process.off('SIGINT', onSignal)
        this.#gate.release()
      }
    })
  }

  /** What fails before there is a session to show it: a client that cannot be opened. */
  async #settle(run: () => Promise<Outcome>): Promise<Outcome> {
    try {
      return await run()
    } catch (error) {
      const { formatError } = await import('../terminal/error-message.ts')
      const { stderr, env } = this.#options
      stderr.write(`${formatError(error, terminalStyle(stderr, env))}\n`)
      return 'failed'
    }
  }

  #isLeaving(outcome: Outcome): boolean {
    const server = this.#server
    // Calling back after the end draws a stray prompt, or throws ERR_USE_AFTER_CLOSE from 24.2 on.
    if (server === undefined) return true
    const session = this.#engine?.session
    if (session?.exitCode !== undefined) {
      server.close()
      return true
    }
    // node:repl keeps a line for each line of a statement, and from 24 on drops those that failed.
    if (outcome !== 'incomplete') Object.assign(server, { history: this.#history.newestFirst })
    if (session !== undefined) server.setPrompt(session.prompt)
    return false
  }

  /** Out of raw mode Ctrl-C is a signal, which ends even `while (true) {}` (vm's breakOnSigint). */
  #synchronously<Result>(run: () => Result): Result {
    if (!this.#gate.isRaw || this.#isSynchronous) return run()
    this.#isSynchronous = true
    this.#gate.setRawMode(false)
    try {
      return run()
    } catch (error) {
      // The terminal itself has echoed `^C`, in the middle of a line.
      if (this.#engine?.isCancelled(error)) this.#screen.write('\n')
      throw error
    } finally {
      this.#gate.setRawMode(true)
      this.#isSynchronous = false
    }
  }

  async #lend<Result>(run: () => Promise<Result>): Promise<Result> {
    this.#isLent = true
    try {
      return await this.#gate.lend(run)
    } finally {
      this.#isLent = false
    }
  }

  /** Only while the gate is held: else the prompt is there, and the line belongs to it. */
  async #ask(question: string, signal: AbortSignal): Promise<string> {
    this.#options.stderr.write(question)
    return this.#gate.ask((text) => void this.#options.stderr.write(text), signal)
  }

  #interrupt(): void {
    if (this.#isLent) return
    this.#endCompletion?.()
    this.#endOpening?.()
    const session = this.#engine?.session
    const step = session?.interrupt()
    if (step === 'cancelling') {
      const { ellipsis } = terminalStyle(this.#options.stdout, this.#options.env).glyphs
      session?.output.notice(`^C cancelling${ellipsis} (Ctrl-C again to stop waiting)`)
    } else if (step === 'abandoned') {
      session?.output.notice('^C not waiting any longer; the work goes on in the background')
    }
  }

  /** What readline does on Ctrl-Z, which it does not see while the gate is held. */
  #suspend(): void {
    this.#gate.setRawMode(false)
    process.once('SIGCONT', () => this.#gate.setRawMode(true))
    process.kill(process.pid, 'SIGTSTP')
  }

  /** readline pauses stdin until it has its answer, so Ctrl-C must reach us through the gate. */
  async #complete(line: string, done: CompletionCallback): Promise<void> {
    this.#gate.hold()
    const answer = this.#completionOf(line)
    const completion = await Promise.race([answer, this.#endOfPatience(answer, line)])
    this.#endCompletion?.()
    this.#endCompletion = undefined
    this.#gate.release()
    if (this.#server !== undefined) done(null, completion)
  }

  /** Nothing, at Ctrl-C or at the time limit; after the latter the answer may still come. */
  async #endOfPatience(answer: Promise<Completion>, line: string): Promise<Completion> {
    const isLate = await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(true), completionLimitMs)
      this.#endCompletion = () => {
        clearTimeout(timer)
        resolve(false)
      }
    })
    if (isLate) void answer.then(([names]) => names.length > 0 && this.#completeAgain(line))
    return [[], line]
  }

  async #completionOf(line: string): Promise<Completion> {
    try {
      return await (await this.#open()).complete(line)
    } catch {
      return [[], line] // a client that cannot be opened says so at Enter, not in mid-line
    }
  }

  /** The answer to a Tab that came too late for it, unless something else is being typed by now. */
  #completeAgain(line: string): void {
    const isIdle = this.#server !== undefined && !this.#gate.held
    if (isIdle && this.#line?.beforeCursor === line) this.#line.pressTab()
  }

  #replaceWords(text: string): string {
    // node:repl has no hook for a command it does not know. Should its words change, users see Node's
    // message instead of ours, nothing else.
    if (text !== 'Invalid REPL keyword\n') return text
    const typed = this.#typed
    void this.#open().then((engine) => {
      this.#aside(() => engine.session.output.notice(engine.unknownCommand(typed)))
    })
    return ''
  }

  readonly #onBackgroundError = (error: unknown): void => {
    void this.#open().then(({ session }) => {
      this.#aside(() => session.showError(error, undefined, 'in the background: '))
    })
  }

  /** Prints while the prompt may be there: the line goes, the text comes, the line comes back. */
  #aside(print: () => void): void {
    const isAtPrompt = this.#server !== undefined && this.#engine?.session.isRunning !== true
    if (isAtPrompt && this.#line !== undefined) this.#line.printAbove(print)
    else print()
  }

  async #prewarm(): Promise<void> {
    try {
      await (await this.#open()).prewarm()
    } catch {
      // What cannot be loaded or opened is told when it is asked for.
    }
  }

  #close(): void {
    this.#server = undefined
    process.off('unhandledRejection', this.#onBackgroundError)
    process.off('uncaughtException', this.#onBackgroundError)
    this.#gate.destroy()
    this.#screen.destroy()
    this.#exit(this.#engine?.session.exitCode ?? 0)
  }
}

const reminder = '.help for commands, help(client) for the API'

const firstSteps = `  client.pull('library/busybox')  makes an image; Tab completes, Ctrl-C cancels
  client.repositories()           what the registry has; client.pull? explains
  .doctor                         why something fails; .help for the rest`
