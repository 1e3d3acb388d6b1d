/**
 * What works behind the prompt: client, session, commands and completion. Loaded after the prompt is
 * there, as each module read before it is time that someone waits.
 */
import { candidateList } from './candidate-list.ts'
import type { CommandContext } from './command-context.ts'
import { type Candidate, Completer } from './completer.ts'
import { commandHelps, runCommand, unknownCommandMessage } from './dot-commands.ts'
import { isCancelled } from './error-report.ts'
import { defineGlobals } from './globals.ts'
import { helpForName, signatureHelp } from './help.ts'
import type { History } from './history.ts'
import { ShellOutput } from './output.ts'
import type { TabAnswer } from './prompt-completion.ts'
import { RemoteNames } from './remote-names.ts'
import { runScript } from './script.ts'
import { type Outcome, Session } from './session.ts'
import { openClient } from './shell-client.ts'
import { outputModes, type ShellOptions } from './shell-options.ts'
import { runInput } from './statement-input.ts'

/** What the engine needs of the terminal side. */
export type EngineParts = {
  readonly options: ShellOptions
  readonly history: History
  readonly clearScreen: () => void
  readonly lend: <Result>(run: () => Promise<Result>) => Promise<Result>
  /** See EvaluateOptions. */
  readonly synchronously: <Result>(run: () => Result) => Result
  /** See OutputOptions. */
  readonly beside: (print: () => void) => void
  /** See CompleterOptions. */
  readonly onLateNames: (line: string) => void
}

/** Of no use in a saved session: they need the prompt. What `.edit` runs is kept as if it were typed. */
const promptCommands = new Set(['clear', 'edit', 'history'])

export class Engine {
  readonly session: Session
  readonly context: CommandContext
  readonly #parts: EngineParts
  readonly #completer: Completer
  #statementCount = 0

  constructor(parts: EngineParts, session: Session) {
    this.#parts = parts
    this.session = session
    this.context = this.#createContext()
    this.#completer = new Completer({
      client: (name) => (name === undefined ? session.client : session.clientNamed(name)),
      remoteNames: new RemoteNames({ now: () => performance.now() }),
      uses: (name) => parts.history.uses(name),
      methodOf: (value) => session.calls.methodOf(value),
      variables: () => ({ ...parts.options.env, image: session.lastImagePath }),
      onLate: parts.onLateNames,
    })
  }

  /** Runs what was typed at the prompt, of one or many lines. */
  runText(text: string): Promise<Outcome> {
    this.#statementCount += 1
    return this.context.runStatement({
      text,
      filename: `shell:${this.#statementCount}`,
      onStart: () => this.#parts.history.add(text.trimEnd()),
    })
  }

  /**
   * Runs what was typed in `.editor`: as a script, so that each statement shows its value, an error its
   * line, and the end of the text is the end. node:repl takes it as one piece and then asks for more.
   */
  async runEditedText(text: string): Promise<Outcome> {
    this.#parts.history.add(text.trimEnd())
    const { failures, isCancelled } = await runScript(this.context, text, { label: 'editor' })
    if (isCancelled) return 'cancelled'
    return failures > 0 ? 'failed' : 'done'
  }

  /** @param text The whole command as it was typed. */
  runCommand(text: string, name: string, argument: string): Promise<Outcome> {
    this.#parts.history.add(text)
    const run = (): Promise<Outcome> => runCommand(this.context, { name, argument })
    return promptCommands.has(name) ? run() : this.session.record(text, run)
  }

  /** Loads what the first statement will need. */
  async prewarm(): Promise<void> {
    await import('acorn')
    const { client, isRunning } = this.session
    if (!isRunning) await client.prewarm?.()
  }

  async complete(line: string): Promise<TabAnswer> {
    const { style } = this.session.output
    const { candidates, more, prefix, insertion, call } = await this.#completer.complete(line)
    if (call !== undefined) return { prefix, insertion, list: signatureHelp(call, style) }
    // what stands there already needs no list of itself
    const isTold = candidates.some(({ name, signature, summary }) => {
      return name !== prefix || (signature ?? summary) !== undefined
    })
    return { prefix, insertion, list: isTold ? this.#list(candidates, more) : undefined }
  }

  #list(candidates: readonly Candidate[], more: number): string {
    const { style } = this.session.output
    const list = candidateList(candidates, { style, rows: this.#parts.options.stdout.rows ?? 24 })
    return more === 0 ? list : `${list}\n${style.colours.dim(`(${more} more)`)}`
  }

  /** What is said of a line that node:repl takes for a command it does not know; `.use?` asks for help. */
  unknownCommand(line: string): string {
    const asked = /^\s*\.(\w+)\s*\?+\s*$/.exec(line)?.[1]
    const help = asked && helpForName(`.${asked}`, commandHelps, this.session.output.style)
    if (help) return help
    return unknownCommandMessage(/^\s*\.([^\s?]*)/.exec(line)?.[1] ?? '')
  }

  isCancelled(error: unknown): boolean {
    return isCancelled(error)
  }

  #createContext(): CommandContext {
    const { session } = this
    const { history, clearScreen, lend, synchronously, options } = this.#parts
    const context: CommandContext = {
      session,
      env: options.env,
      runStatement: (source) =>
        session.record(source.text, () => runInput(context, { ...source, synchronously })),
      runScript: (text, names) => runScript(context, text, names),
      prompt: {
        history: () => history.oldestFirst,
        remember: (text) => history.add(text),
        clearScreen,
        lend,
      },
    }
    return context
  }
}

/** Opens the client and puts the globals at hand. */
export async function openEngine(parts: EngineParts): Promise<Engine> {
  const { client, createClient, stdout, stderr, env, flags, globals, cleanUp } = parts.options
  // At a prompt `--quiet` means no banner; results are what one types for.
  const modes = { ...outputModes(flags), quiet: false }
  const output = new ShellOutput({ stdout, stderr, env, bars: stdout, modes, beside: parts.beside })
  const opened = await openClient(client)
  const session = new Session({ client: opened, createClient, output, now: Date.now, cleanUp })
  defineGlobals(session, globals ?? {})
  return new Engine(parts, session)
}
