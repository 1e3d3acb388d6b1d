/** What every command gets: settings, streams, flags, and the signal that interrupts it. */
import { homedir } from 'node:os'
import { exitCodeOf } from '../errors/sregistry-error.ts'
import { loadSettings, type Settings } from '../settings/settings.ts'
import { removeOpenTemporaries, removeOpenWork } from '../storage/unfinished-work.ts'
import { type TerminalStyle, terminalStyle } from '../terminal/terminal-style.ts'
import { Output } from './output.ts'

/** Flags before the command. */
export type GlobalFlags = {
  readonly debug?: boolean
  readonly quiet?: boolean
  readonly json?: boolean
  readonly client?: string
}

export type SessionBase = Pick<Session, 'env' | 'flags' | 'stdout' | 'stderr'>

/** What is redrawn at the bottom of the screen. */
type LiveScreen = {
  /** Takes it away until the function is called. */
  readonly pause: () => () => void
}

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const

export class Session {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Output
  readonly stderr: Output
  flags: GlobalFlags
  /** Sets V8's flags for long work; what has nothing to do and what waits for a prompt does without. */
  readonly tuneEngine: () => void
  #live: LiveScreen | undefined
  /** While a question is asked: what brings back what is drawn. */
  #resumes: (() => void)[] | undefined
  #abort: AbortController | undefined
  #signalled: keyof typeof signalNumbers | undefined
  #settings: Settings | undefined

  /** @param base What another session is, with the environment that this one shall have. */
  constructor(tuneEngine: () => void = () => undefined, base?: SessionBase) {
    this.tuneEngine = tuneEngine
    this.env = base?.env ?? process.env
    this.stdout = base?.stdout ?? new Output(process.stdout)
    this.stderr = base?.stderr ?? new Output(process.stderr)
    this.flags = base?.flags ?? {}
  }

  get settings(): Settings {
    this.#settings ??= loadSettings({ env: this.env, home: this.env['HOME'] || homedir() })
    return this.#settings
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** What is drawn from now on, if anything; it leaves the screen to a question that is being asked. */
  set live(live: LiveScreen | undefined) {
    this.#live = live
    if (live !== undefined) this.#resumes?.push(live.pause())
  }

  /**
   * Leaves the screen to a question: what is drawn, or comes to be drawn meanwhile, waits.
   * @returns What ends that.
   */
  holdScreen(): () => void {
    if (this.#resumes !== undefined) return () => undefined // the first question holds for both
    const resumes = this.#live === undefined ? [] : [this.#live.pause()]
    this.#resumes = resumes
    return () => {
      this.#resumes = undefined
      for (const resume of resumes) resume()
    }
  }

  /** How stderr is to be written to now; bars and errors go there. */
  style(): TerminalStyle {
    return terminalStyle(process.stderr, this.env)
  }

  /** How stdout is to be written to now. */
  outputStyle(): TerminalStyle {
    return terminalStyle(process.stdout, this.env)
  }

  /** The first signal asks the command to clean up and end; the second one ends it here. */
  listenToSignals(): void {
    for (const name of Object.keys(signalNumbers) as (keyof typeof signalNumbers)[]) {
      process.on(name, () => {
        if (this.#signalled !== undefined) {
          removeOpenTemporaries()
          removeOpenWork()
          process.exit(128 + signalNumbers[name])
        }
        this.#signalled = name
        this.#controller.abort()
      })
    }
  }

  /** What nobody caught is a bug: told in a line, and the process ends with its work removed. */
  listenToBugs(): void {
    process.on('uncaughtException', this.#endBadly)
  }

  /** Leaves signals to whoever handles them now: the shell, which cancels one statement at a time. */
  ignoreSignals(): void {
    for (const name of Object.keys(signalNumbers)) process.removeAllListeners(name)
    process.off('uncaughtException', this.#endBadly)
  }

  /** Runs a command to its end and sets the exit code of the process. */
  async run(command: () => Promise<void>): Promise<void> {
    try {
      await command()
      await this.stdout.flush()
    } catch (error) {
      await this.fail(error)
    }
  }

  /** Tells an error and sets the exit code; with `--json` the error is the document. */
  async fail(error: unknown): Promise<void> {
    process.exitCode = this.#exitCode(error)
    const { formatErrorJson, formatFailure, formatStack } = await import('./failure.ts')
    if (this.flags.json) this.stdout.line(formatErrorJson(error))
    else this.stderr.line(formatFailure(error, this.style()))
    if (this.flags.debug) this.stderr.line(formatStack(error))
    // the error is told already; that stdout is gone too changes nothing
    await this.stdout.flush().catch(() => undefined)
  }

  readonly #endBadly = (error: Error): void => {
    removeOpenTemporaries()
    removeOpenWork()
    void this.fail(error).finally(() => process.exit(1))
  }

  /** Made when it is asked for: Node loads it then, and a shell's statements have their own. */
  get #controller(): AbortController {
    this.#abort ??= new AbortController()
    return this.#abort
  }

  #exitCode(error: unknown): number {
    if (this.#signalled !== undefined) return 128 + signalNumbers[this.#signalled]
    return exitCodeOf(error)
  }
}
