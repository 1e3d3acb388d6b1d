/**
 * The shell in a terminal: node:repl reads and edits lines, everything else is ours. The order of boot
 * matters: nothing heavy before the prompt, and the evaluation loop before the REPL.
 */
import { type REPLServer, Recoverable, start } from 'node:repl'
import { formatBanner } from '../terminal/banner.ts'
import { type BackgroundErrors, watchBackgroundErrors } from './background-errors.ts'
import type { CommandContext } from './command-context.ts'
import { Completer } from './completer.ts'
import { dotCommandNames, runCommand, unknownCommandMessage } from './dot-commands.ts'
import { isCancelled } from './error-report.ts'
import { EvaluationLoop } from './evaluation-loop.ts'
import { defineGlobals, defineResults } from './globals.ts'
import { signatureHelp } from './help.ts'
import { History, historyPath } from './history.ts'
import { InputGate } from './input-gate.ts'
import { ShellOutput } from './output.ts'
import { findRcFile, runRcFile } from './rc-file.ts'
import { RemoteNames } from './remote-names.ts'
import { Screen } from './screen.ts'
import { runScript } from './script.ts'
import { type Outcome, Session, type StatementSource } from './session.ts'
import { outputModes, type ShellOptions } from './shell-options.ts'
import { runInput } from './statement-input.ts'

type EvalCallback = (error: Error | null) => void

const idleBeforePrewarmMs = 250

/** @returns The exit code, once the user has left. */
export async function runPrompt(options: ShellOptions, home: string): Promise<number> {
  const prompt = new Prompt(options, home)
  prompt.greet()
  await prompt.runRcFile()
  return prompt.run()
}

class Prompt {
  readonly #options: ShellOptions
  readonly #home: string
  readonly #session: Session
  readonly #history: History
  readonly #gate: InputGate
  readonly #screen: Screen
  readonly #loop = new EvaluationLoop()
  readonly #context: CommandContext
  readonly #remoteNames = new RemoteNames({ now: () => performance.now() })
  readonly #background: BackgroundErrors
  #server: REPLServer | undefined
  #typed = ''
  #statementCount = 0
  #isLent = false
  #endCompletion: (() => void) | undefined
  #exit: (code: number) => void = () => undefined

  constructor(options: ShellOptions, home: string) {
    const { stdout, stderr, env, client, createClient, flags } = options
    this.#options = options
    this.#home = home
    // At a prompt `--quiet` means no banner; results are what one types for.
    const modes = { ...outputModes(flags), quiet: false }
    const output = new ShellOutput({ stdout, stderr, env, bars: stdout, modes })
    this.#session = new Session({ client, createClient, output, now: Date.now })
    this.#history = new History({ path: historyPath(env, home), now: Date.now })
    this.#gate = new InputGate(options.stdin, {
      onInterrupt: () => this.#interrupt(),
      onSuspend: () => this.#suspend(),
    })
    this.#screen = new Screen(stdout, {
      idle: () => !this.#gate.held,
      unknownCommand: () => unknownCommandMessage(/^\s*\.(\S*)/.exec(this.#typed)?.[1] ?? ''),
    })
    this.#context = this.#createContext()
    this.#background = watchBackgroundErrors((error) => {
      this.#aside(() => this.#session.showError(error, undefined, 'in the background: '))
    })
  }

  greet(): void {
    const { output, client } = this.#session
    if (this.#options.flags.quiet !== true) {
      output.result(formatBanner({ client: client.name, database: client.database }))
      const isFirst = this.#history.oldestFirst.length === 0
      output.result(output.style.colours.dim(isFirst ? firstSteps : reminder))
    }
    if (this.#history.problem !== undefined) output.notice(this.#history.problem)
  }

  async runRcFile(): Promise<void> {
    defineGlobals(this.#session, this.#options.globals ?? {})
    const { env, flags } = this.#options
    const rc = flags.norc === true ? { kind: 'none' as const } : findRcFile(env, this.#home)
    if (rc.kind === 'refused') this.#session.output.notice(rc.text)
    if (rc.kind === 'found') await runRcFile(this.#context, rc.path)
  }

  run(): Promise<number> {
    const ended = new Promise<number>((resolve) => {
      this.#exit = resolve
    })
    const server = this.#startServer()
    this.#server = server
    defineResults()
    for (const name of dotCommandNames) {
      server.defineCommand(name, { action: (argument) => this.#takeCommand(name, argument) })
    }
    Object.assign(server, { history: this.#history.newestFirst })
    server.prependListener('line', (line) => {
      this.#typed = line
    })
    server.once('exit', () => this.#close())
    const idle = setTimeout(() => void this.#prewarm(), idleBeforePrewarmMs)
    idle.unref()
    return ended
  }

  #startServer(): REPLServer {
    return start({
      prompt: this.#session.prompt,
      input: this.#gate,
      output: this.#screen,
      terminal: true,
      // Another realm would make our lists no Array and our errors no Error there, for 25 ms more.
      useGlobal: true,
      preview: false,
      eval: (code, _context, _file, done) => this.#takeInput(code, done as EvalCallback),
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        void this.#complete(line, done)
      },
    })
  }

  /** The gate is held from here on; the work itself runs in the loop, outside the REPL's domain. */
  #takeInput(code: string, done: EvalCallback): void {
    // Node 24 and 26 put `\r` between the lines of a statement.
    const text = code.replace(/\r\n?/g, '\n')
    this.#hold(async () => {
      const outcome = await this.#runText(text)
      if (this.#leaving(outcome)) return
      done(outcome === 'incomplete' ? new Recoverable(new SyntaxError('more lines')) : null)
    })
  }

  #takeCommand(name: string, argument: string): void {
    this.#hold(async () => {
      const text = `.${name}${argument === '' ? '' : ` ${argument}`}`
      this.#history.add(text)
      const command = { name, argument: argument.trim() }
      const outcome = await this.#session.record(text, () => runCommand(this.#context, command))
      if (this.#leaving(outcome)) return
      this.#server?.clearBufferedCommand()
      this.#server?.displayPrompt()
    })
  }

  #hold(work: () => Promise<void>): void {
    this.#gate.hold()
    const onSignal = (): void => this.#interrupt()
    process.on('SIGINT', onSignal)
    this.#loop.push(async () => {
      try {
        await work()
      } finally {
        process.off('SIGINT', onSignal)
        this.#gate.release()
      }
    })
  }

  async #runText(text: string): Promise<Outcome> {
    this.#statementCount += 1
    const source: StatementSource = {
      text,
      filename: `shell:${this.#statementCount}`,
      onStart: () => this.#history.add(text.trimEnd()),
    }
    return this.#context.runStatement(source)
  }

  /** @returns Whether the user asked to leave; then nothing more must be said to the REPL. */
  #leaving(outcome: Outcome): boolean {
    const server = this.#server
    if (server === undefined) return true
    if (this.#session.exitCode !== undefined) {
      server.close()
      return true
    }
    // node:repl keeps a line for each line of a statement, and from 24 on drops those that failed.
    if (outcome !== 'incomplete') Object.assign(server, { history: this.#history.newestFirst })
    server.setPrompt(this.#session.prompt)
    return false
  }

  #createContext(): CommandContext {
    const session = this.#session
    const { env } = this.#options
    const context: CommandContext = {
      session,
      env,
      runStatement: (source) =>
        session.record(source.text, () =>
          runInput(context, { ...source, synchronously: (run) => this.#synchronously(run) }),
        ),
      runScript: (text, names) => runScript(context, text, names),
      prompt: {
        history: () => this.#history.oldestFirst,
        clearScreen: () => this.#screen.write('\u001b[H\u001b[2J\u001b[3J'),
        lend: (run) => this.#lend(run),
      },
    }
    return context
  }

  /** Out of raw mode Ctrl-C is a signal, which ends even `while (true) {}` (vm's breakOnSigint). */
  #synchronously<Result>(run: () => Result): Result {
    if (!this.#gate.isRaw) return run()
    this.#gate.setRawMode(false)
    try {
      return run()
    } catch (error) {
      // The terminal itself has echoed `^C`, in the middle of a line.
      if (isCancelled(error)) this.#screen.write('\n')
      throw error
    } finally {
      this.#gate.setRawMode(true)
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

  #interrupt(): void {
    if (this.#isLent) return
    this.#endCompletion?.()
    const step = this.#session.interrupt()
    const { output } = this.#session
    if (step === 'cancelling') {
      const { ellipsis } = output.style.glyphs
      output.notice(`^C cancelling${ellipsis} (Ctrl-C again to stop waiting)`)
    } else if (step === 'abandoned') {
      output.notice('^C not waiting any longer; the work goes on in the background')
    }
  }

  /** What readline does on Ctrl-Z, which it does not see while the gate is held. */
  #suspend(): void {
    this.#gate.setRawMode(false)
    process.once('SIGCONT', () => this.#gate.setRawMode(true))
    process.kill(process.pid, 'SIGTSTP')
  }

  async #complete(
    line: string,
    done: (error: null, result: [string[], string]) => void,
  ): Promise<void> {
    this.#gate.hold()
    const given = new Promise<[string[], string]>((resolve) => {
      this.#endCompletion = () => resolve([[], line])
    })
    const result = await Promise.race([this.#completer.complete(line), given])
    this.#endCompletion = undefined
    this.#gate.release()
    if (this.#server !== undefined) done(null, result)
  }

  readonly #completer = new Completer({
    client: () => this.#session.client,
    remoteNames: this.#remoteNames,
    uses: (name) => this.#history.uses(name),
    onSignature: (help) =>
      this.#aside(() => {
        const { output } = this.#session
        output.result(signatureHelp(help, output.style))
      }),
  })

  /** Prints while the prompt may be there: the line goes, the text comes, the line comes back. */
  #aside(print: () => void): void {
    const isAtPrompt = this.#server !== undefined && !this.#session.isRunning
    if (isAtPrompt) this.#screen.write('\r\u001b[J')
    print()
    if (isAtPrompt) this.#server?.displayPrompt(true)
  }

  async #prewarm(): Promise<void> {
    if (this.#session.isRunning) return
    await import('acorn')
    await this.#session.client.prewarm?.()
  }

  #close(): void {
    this.#server = undefined
    this.#background.stop()
    this.#gate.destroy()
    this.#screen.destroy()
    this.#exit(this.#session.exitCode ?? 0)
  }
}

const reminder = '.help for commands, help(client) for the API'

const firstSteps = `  client.pull('library/busybox')   makes an image; Tab completes names, Ctrl-C cancels
  client.repositories()            lists what the registry has; client.pull? explains a method
  .doctor                          finds out why something does not work; .help for the rest`
