/**
 * The shell in a terminal: node:repl reads and edits lines, everything else is ours. The order of boot
 * matters: nothing but this file and what draws the prompt is loaded before it, and the evaluation loop
 * starts before the REPL.
 */
import { type REPLServer, Recoverable, start } from 'node:repl'
import { terminalStyle } from '../terminal/terminal-style.ts'
import { formatWarning, watchBackground } from './background-events.ts'
import { dotCommandNames } from './command-names.ts'
import { EvaluationLoop } from './evaluation-loop.ts'
import { greeting } from './greeting.ts'
import { History, historyPath } from './history.ts'
import { InputGate } from './input-gate.ts'
import { LateEngine } from './late-engine.ts'
import { ownExitCode } from './own-exit-code.ts'
import { type CompletionCallback, PromptCompletion } from './prompt-completion.ts'
import { findRcFile } from './rc-file.ts'
import { Screen } from './screen.ts'
import { SearchOverlay } from './search-overlay.ts'
import type { Outcome } from './session.ts'
import type { ShellOptions } from './shell-options.ts'
import { TerminalMode } from './terminal-mode.ts'
import { TypedLine } from './typed-line.ts'

type EvalCallback = (error: Error | null) => void

/** What Node 20 and 22 put before a line of a statement that began above; from 24 on it is one text. */
const continuationPrompt = '... '

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
  readonly #mode: TerminalMode
  readonly #engine: LateEngine
  readonly #loop = new EvaluationLoop()
  readonly #completion: PromptCompletion
  #server: REPLServer | undefined
  #line: TypedLine | undefined
  #search: SearchOverlay | undefined
  #typed = ''
  /** From the end of a line to the next prompt. */
  #isWorking = false
  /** The lines above the one being typed, of a statement that is not complete. */
  #gathered = ''
  #isLeft = false
  #exit: (code: number) => void = () => undefined

  constructor(options: ShellOptions, home: string) {
    this.#options = options
    this.#history = new History({ path: historyPath(options.env, home), now: Date.now })
    this.#gate = new InputGate(options.stdin, {
      onInterrupt: () => this.#interrupt(),
      onSuspend: () => this.#mode.suspend(),
    })
    this.#mode = new TerminalMode(this.#gate, (error) => {
      if (this.#engine.opened?.isCancelled(error)) this.#screen.write('\n')
    })
    this.#screen = new Screen(options.stdout, {
      idle: () => !this.#gate.held,
      replace: (text) => this.#replaceWords(text),
    })
    this.#engine = new LateEngine({
      options,
      history: this.#history,
      clearScreen: () => this.#screen.write('\u001b[H\u001b[2J\u001b[3J'),
      lend: (run) => this.#mode.lend(run),
      synchronously: (run) => this.#mode.synchronously(run),
      beside: (print) => this.#beside(print),
      onLateNames: (text) => this.#completion.again(text),
    })
    this.#completion = new PromptCompletion({
      gate: this.#gate,
      complete: async (text) => (await this.#engine.open()).complete(text),
      above: () => (this.#server?.getPrompt() === continuationPrompt ? this.#gathered : ''),
      line: () => (this.#server === undefined ? undefined : this.#line),
      print: (text) => this.#beside(() => this.#options.stdout.write(`${text}\n`)),
    })
    options.questions?.answerWith((question, signal) => this.#ask(question, signal))
    watchBackground({
      onError: (error) => void this.#showBackgroundError(error),
      onWarning: (warning) => this.#showWarning(warning),
    })
  }

  greet(): void {
    const { flags, stdout, stderr } = this.#options
    const isFirst = this.#history.oldestFirst.length === 0
    if (flags.quiet !== true) stdout.write(greeting(this.#options, isFirst))
    if (this.#history.problem !== undefined) stderr.write(`${this.#history.problem}\n`)
  }

  async runRcFile(home: string): Promise<void> {
    const { env, flags, stderr } = this.#options
    const rc = flags.norc === true ? { kind: 'none' as const } : findRcFile(env, home)
    if (rc.kind === 'refused') stderr.write(`${rc.text}\n`)
    if (rc.kind !== 'found') return
    const { runRcFile } = await import('./run-rc-file.ts')
    await runRcFile((await this.#engine.open()).context, rc.path)
  }

  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#exit = resolve
    })
    const server = this.#startServer()
    this.#server = server
    const write = (text: string): void => void this.#screen.write(text)
    this.#line = new TypedLine(server, write)
    this.#search = new SearchOverlay(server, this.#gate, write)
    for (const name of dotCommandNames) {
      server.defineCommand(name, { action: (argument) => this.#takeCommand(name, argument) })
    }
    Object.assign(server, { history: this.#history.newestFirst })
    server.prependListener('line', (line) => {
      this.#typed = line
    })
    server.once('exit', () => void this.#close())
    this.#engine.prewarmWhenIdle()
    return ended
  }

  #startServer(): REPLServer {
    const { name, place } = this.#options.client
    return start({
      prompt:
        this.#engine.opened?.session.prompt ?? `${name}${place === undefined ? '' : `:${place}`}> `,
      input: this.#gate,
      output: this.#screen,
      terminal: true,
      // Another realm would make our lists no Array and our errors no Error there, for 25 ms more.
      useGlobal: true,
      preview: false,
      eval: (code, _context, _file, done) => this.#takeInput(code, done as EvalCallback),
      completer: (line: string, done: CompletionCallback) =>
        void this.#completion.answer(line, done),
    })
  }

  /** The gate is held from here on; the work itself runs in the loop, outside the REPL's domain. */
  #takeInput(code: string, done: EvalCallback): void {
    // Node 24 and 26 put `\r` between the lines of a statement.
    const text = code.replace(/\r\n?/g, '\n')
    const isEdited = this.#gate.endedByControlD
    // They also take `.break` for the end of the statement that it is to give up.
    const isGivenUp = !isEdited && /\n\s*\.break\s*$/.test(text)
    const run = async (): Promise<Outcome> => {
      if (text.trim() === '' || isGivenUp) return 'empty'
      const engine = await this.#engine.openUnlessInterrupted()
      if (engine === undefined) return this.#giveUp(text)
      return isEdited ? engine.runEditedText(text) : engine.runText(text)
    }
    this.#hold(run, (outcome) => {
      this.#gathered = outcome === 'incomplete' ? text : ''
      done(outcome === 'incomplete' ? new Recoverable(new SyntaxError('more lines')) : null)
    })
  }

  #takeCommand(name: string, argument: string): void {
    const text = this.#typed.trimEnd()
    const run = async (): Promise<Outcome> => {
      const engine = await this.#engine.openUnlessInterrupted()
      return engine?.runCommand(text, name, argument.trim()) ?? this.#giveUp(text)
    }
    this.#hold(run, () => {
      this.#server?.clearBufferedCommand()
      this.#server?.displayPrompt()
    })
  }

  #giveUp(text: string): Outcome {
    this.#history.add(text.trimEnd())
    this.#options.stderr.write('^C\ncancelled\n')
    return 'cancelled'
  }

  /** @param onDone What to tell the REPL, unless the user asked to leave meanwhile. */
  #hold(run: () => Promise<Outcome>, onDone: (outcome: Outcome) => void): void {
    this.#gate.hold()
    this.#isWorking = true
    const onSignal = (): void => this.#interrupt()
    process.on('SIGINT', onSignal)
    this.#loop.push(async () => {
      try {
        const outcome = await this.#settle(run)
        const isLeaving = this.#isLeaving(outcome)
        this.#isWorking = false
        if (!isLeaving) onDone(outcome)
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
    const session = this.#engine.opened?.session
    if (session?.exitCode !== undefined) {
      server.close()
      return true
    }
    // node:repl keeps a line for each line of a statement, and from 24 on drops those that failed.
    if (outcome !== 'incomplete') Object.assign(server, { history: this.#history.newestFirst })
    if (session !== undefined) server.setPrompt(session.prompt)
    return false
  }

  /** Only while the gate is held: else the prompt is there, and the line belongs to it. */
  async #ask(question: string, signal: AbortSignal): Promise<string> {
    this.#options.stderr.write(question)
    return this.#gate.ask((text) => void this.#options.stderr.write(text), signal)
  }

  #interrupt(): void {
    if (this.#mode.isLent) return
    this.#completion.interrupt()
    this.#engine.interrupt()
    const session = this.#engine.opened?.session
    const step = session?.interrupt()
    if (step === 'cancelling') {
      const { ellipsis } = terminalStyle(this.#options.stdout, this.#options.env).glyphs
      session?.output.notice(`^C cancelling${ellipsis} (Ctrl-C again to stop waiting)`)
    } else if (step === 'stopping') {
      session?.output.notice('^C')
    } else if (step === 'abandoned') {
      session?.output.notice('^C not waiting any longer; the work goes on in the background')
    }
  }

  #replaceWords(text: string): string {
    // node:repl has no hook for a command it does not know. Should its words change, users see Node's
    // message instead of ours, nothing else.
    if (text !== 'Invalid REPL keyword\n') return this.#search?.replace(text) ?? text
    const typed = this.#typed
    void this.#engine.open().then((engine) => {
      engine.session.output.notice(engine.unknownCommand(typed))
    })
    return ''
  }

  async #showBackgroundError(error: unknown): Promise<void> {
    if (this.#isLeft) return // nobody is there to be told that it was cancelled
    try {
      const { session } = await this.#engine.open()
      session.showError(error, undefined, 'in the background: ')
    } catch {
      // there is no session, so nothing of the user's can have failed
    }
  }

  #showWarning(warning: Error): void {
    const { stderr, env } = this.#options
    const text = formatWarning(warning, terminalStyle(stderr, env))
    this.#beside(() => stderr.write(`${text}\n`))
  }

  /** Prints while the prompt may be there: the line goes, the text comes, the line comes back. */
  #beside(print: () => void): void {
    if (this.#server === undefined || this.#isWorking || this.#line === undefined) print()
    else this.#line.printAbove(print)
  }

  async #close(): Promise<void> {
    this.#server = undefined
    this.#isLeft = true
    this.#gate.destroy()
    this.#screen.destroy()
    const session = this.#engine.opened?.session
    await session?.leave()
    this.#options.onLeft?.()
    this.#exit(session?.exitCode ?? ownExitCode())
  }
}
