/**
 * Runs a script: reads, gathers until a statement is complete, evaluates, awaits, goes on. There is no
 * REPL in it, as node:repl overlaps piped lines, prints in another order and ends with 0 after errors.
 */
import type { CommandContext, ScriptNames, ScriptResult } from './command-context.ts'
import { type CommandLine, commandHelps, readCommand, runCommand } from './dot-commands.ts'
import { LineSource } from './line-source.ts'
import type { Outcome } from './session.ts'

export type ScriptOptions = ScriptNames & {
  /** Run what comes after a failure, too. Default false. */
  readonly keepGoing?: boolean
  /** Called before each statement, with its place: `tour.js:8`. */
  readonly onStatement?: (place: string) => void
}

export function runScript(
  context: CommandContext,
  text: string,
  options: ScriptOptions,
): Promise<ScriptResult> {
  return runLines(context, LineSource.ofText(text), options)
}

export async function runLines(
  context: CommandContext,
  lines: LineSource,
  options: ScriptOptions,
): Promise<ScriptResult> {
  const script = new ScriptRun(context, options)
  let failures = 0
  for (let line = await lines.next(); line !== undefined; line = await lines.next()) {
    const outcome = await script.take(line, lines.peek())
    if (outcome === 'cancelled' || outcome === 'abandoned') return { failures, isCancelled: true }
    if (outcome === 'failed') failures += 1
    const isOver = context.session.exitCode !== undefined
    if (isOver || (failures > 0 && options.keepGoing !== true))
      return { failures, isCancelled: false }
  }
  if (script.finish() === 'failed') failures += 1
  return { failures, isCancelled: false }
}

class ScriptRun {
  readonly #context: CommandContext
  readonly #options: ScriptOptions
  #gathered = ''
  #firstLine = 1
  #line = 0

  constructor(context: CommandContext, options: ScriptOptions) {
    this.#context = context
    this.#options = options
  }

  /** @param next The line after this one, when it is known already. */
  async take(line: string, next: string | undefined): Promise<Outcome> {
    this.#line += 1
    if (this.#gathered === '') {
      this.#firstLine = this.#line
      const command = readCommand(line)
      if (command !== undefined) return this.#command(line, command)
    }
    this.#gathered += `${line}\n`
    if (continuesAbove(next)) return 'incomplete'
    const text = this.#gathered
    const outcome = await this.#run(text)
    if (outcome !== 'incomplete') this.#gathered = ''
    return outcome
  }

  finish(): Outcome {
    if (this.#gathered.trim() === '') return 'done'
    const message = `${this.#place}: the input ends inside this statement`
    this.#context.session.output.notice(message)
    return 'failed'
  }

  get #place(): string {
    return `${this.#options.label}:${this.#firstLine}`
  }

  #command(line: string, command: CommandLine): Promise<Outcome> {
    this.#options.onStatement?.(this.#place)
    const context = this.#context
    return context.session.record(line.trim(), () => runCommand(context, command))
  }

  #run(text: string): Promise<Outcome> {
    const { label, filename, onStatement } = this.#options
    onStatement?.(this.#place)
    const source = { text, filename: filename ?? label, line: this.#firstLine, label }
    return this.#context.runStatement(source)
  }
}

/**
 * `client` on one line and `.pull('x')` or an indented `.name` on the next are one statement; `.load x` is a
 * command.
 */
function continuesAbove(line: string | undefined): boolean {
  if (line === undefined) return false
  if (/^\s*(?:\?\.|\.\s*[\p{L}_$][\w$]*\s*[([.?`=])/u.test(line)) return true
  const member = /^\s+\.([\p{L}_$][\w$]*)[\s;,)]*$/u.exec(line)?.[1]
  return member !== undefined && !Object.hasOwn(commandHelps, member)
}
