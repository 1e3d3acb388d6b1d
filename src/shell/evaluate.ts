/**
 * Runs one input: from the prompt, a pipe, `-e`, a file, the rc file or a replayed session. It neither
 * prints nor exits.
 */
import { Script } from 'node:vm'
import type { Program } from 'acorn'
import { rewriteForAwait } from './auto-await.ts'
import { insideScope } from './code-frame.ts'
import { runSynchronously } from './event-loop-turns.ts'
import { currentStatement } from './interrupt.ts'
import { undoInFunctionText } from './loop-checks.ts'
import { type ParsedSource, parseSource } from './parse-source.ts'
import { declareNames, hidingNames, NamesBefore } from './session-names.ts'
import type { EditedSource } from './source-edits.ts'
import { offerRuntime, runtimeArguments } from './statement-runtime.ts'

/** Where in the input an error arose; line and column count from 1. */
export type SourcePlace = {
  readonly filename: string
  readonly line: number
  readonly column: number
  /** The line of input itself. */
  readonly text: string
}

export type Evaluation =
  | { readonly kind: 'empty' | 'incomplete' }
  /** `isAssigned`: the value of `x = …`, which has a name now. */
  | { readonly kind: 'value'; readonly value: unknown; readonly isAssigned: boolean }
  | { readonly kind: 'error'; readonly error: unknown; readonly place: SourcePlace | undefined }

export type EvaluateOptions = {
  /** What stack traces call the input; unique, so that a later one is not taken for it. */
  readonly filename: string
  /** The line of the file that the input starts at. Default 1. */
  readonly line?: number
  /** Called once the input is known to be complete, before it runs. */
  readonly onStart?: () => void
  /** Runs the synchronous part of the input. A terminal leaves raw mode for it. Default: just runs. */
  readonly synchronously?: <Result>(run: () => Result) => Result
}

export async function evaluate(text: string, options: EvaluateOptions): Promise<Evaluation> {
  // A first line `#!…` is for the kernel; as a comment it keeps the line numbers.
  const source = text.replace(/^#!/, '//')
  if (source.trim() === '') return { kind: 'empty' }
  const acorn = await import('acorn')
  const parsed = parseSource(acorn, source)
  if (parsed.kind === 'incomplete') return { kind: 'incomplete' }
  options.onStart?.()
  if (parsed.kind === 'wrong') return runUnparsed(source, parsed, options)
  return runProgram(source, parsed, options)
}

async function runProgram(
  source: string,
  parsed: Extract<ParsedSource, { kind: 'program' }>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const isBracketed = parsed.source !== source
  const rewritten = rewriteForAwait(parsed.source, parsed.program)
  const before = new NamesBefore(rewritten.set)
  let code: EditedSource = rewritten
  undoInFunctionText()
  try {
    declareNames(rewritten.names, rewritten.set)
    const scope = hidingNames()
    if (scope !== undefined) code = insideScope(rewritten)
    const script = new Script(`${code.text}(${runtimeArguments})`, {
      filename: options.filename,
      lineOffset: (options.line ?? 1) - 1,
    })
    const run = (): Promise<unknown> => {
      offerRuntime(options.filename, scope)
      return script.runInThisContext({ breakOnSigint: true, displayErrors: false })
    }
    const start = (): Promise<unknown> =>
      (options.synchronously ?? callNow)(() => runSynchronously(run))
    const box = await (currentStatement.getStore()?.run(start) ?? start())
    const { value } = (box ?? {}) as { readonly value?: unknown }
    return { kind: 'value', value, isAssigned: endsInAssignment(parsed.program) }
  } catch (error) {
    before.restore()
    return {
      kind: 'error',
      error,
      place: placeOf(error, { source, isBracketed }, code, options),
    }
  }
}

function endsInAssignment({ body }: Program): boolean {
  const last = body.at(-1)
  return last?.type === 'ExpressionStatement' && last.expression.type === 'AssignmentExpression'
}

function callNow<Result>(run: () => Result): Result {
  return run()
}

/** What acorn refuses: V8 has the better words for it, or knows a syntax that acorn does not. */
async function runUnparsed(
  source: string,
  parsed: Extract<ParsedSource, { kind: 'wrong' }>,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const lineOffset = (options.line ?? 1) - 1
  try {
    const script = new Script(source, { filename: options.filename, lineOffset })
    const run = (): unknown => script.runInThisContext({ breakOnSigint: true })
    const value = await (options.synchronously ?? callNow)(run)
    return { kind: 'value', value, isAssigned: false }
  } catch (error) {
    const isSyntax = error instanceof SyntaxError
    const place = isSyntax ? placeAt(source, parsed.offset, options) : undefined
    return { kind: 'error', error: isSyntax ? syntaxError(source, error) : error, place }
  }
}

// A script knows no top-level await, so V8 would blame the await instead of the real fault.
function syntaxError(source: string, error: SyntaxError): SyntaxError {
  if (!error.message.includes('await')) return error
  try {
    new Script(`(async () => {\n${source}\n})`)
    return error
  } catch (inner) {
    return inner instanceof SyntaxError ? inner : error
  }
}

/** The place of the topmost frame of the input in the error's stack. */
function placeOf(
  error: unknown,
  { source, isBracketed }: { readonly source: string; readonly isBracketed: boolean },
  code: EditedSource,
  options: EvaluateOptions,
): SourcePlace | undefined {
  if (!(error instanceof Error) || error.stack === undefined) return undefined
  const at = error.stack.indexOf(`${options.filename}:`)
  const numbers = /^:(\d+):(\d+)/.exec(error.stack.slice(at + options.filename.length))
  if (at < 0 || numbers === null) return undefined
  const row = Number(numbers[1]) - (options.line ?? 1)
  const generated = lineStart(code.text, row) + Number(numbers[2]) - 1
  const offset = code.originalOffset(generated) - (isBracketed ? 1 : 0)
  return placeAt(source, missingNameAt(error, source, offset) ?? offset, options)
}

/**
 * V8 gives the start of a declaration, `const x = missing()`, or the operator behind, `missing < 1`, as the
 * place of what is not defined.
 */
function missingNameAt(error: Error, source: string, from: number): number | undefined {
  if (!(error instanceof ReferenceError)) return undefined
  const name = /^([\p{L}\p{N}_$]+) is not defined$/u.exec(error.message)?.[1]
  if (name === undefined) return undefined
  const word = new RegExp(`(?<![\\w$.])${name.replaceAll('$', '\\$')}(?![\\w$])`, 'gu')
  const places = Array.from(source.matchAll(word), ({ index }) => index)
  return places.find((place) => place >= from) ?? places.at(-1)
}

function lineStart(text: string, row: number): number {
  let start = 0
  for (let i = 0; i < row; i++) start = text.indexOf('\n', start) + 1
  return start
}

function placeAt(source: string, offset: number, options: EvaluateOptions): SourcePlace {
  const before = source.slice(0, offset).split('\n')
  const row = before.length - 1
  const text = source.split('\n')[row] ?? ''
  const column = (before[row]?.length ?? 0) + 1
  return { filename: options.filename, line: (options.line ?? 1) + row, column, text }
}
