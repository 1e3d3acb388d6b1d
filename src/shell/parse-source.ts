/** One input as a syntax tree, or why not: more lines are needed, or it is wrong. */
import type { Program } from 'acorn'
import { isTypeScriptAt } from './typescript-habits.ts'

export type ParsedSource =
  /** `source` is the input, in brackets where those make `{a: 1}` an object. */
  | { readonly kind: 'program'; readonly program: Program; readonly source: string }
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'wrong'; readonly offset: number; readonly message: string }

type Acorn = typeof import('acorn')

export function parseSource(acorn: Acorn, source: string): ParsedSource {
  // `{a: 1}` is a block by the grammar and an object by intent, unless a `;` says otherwise.
  if (/^\s*\{/.test(source) && !source.includes(';')) {
    const inBrackets = `(${source}\n)`
    const parsed = tryParse(acorn, inBrackets)
    if (parsed.kind === 'program') return parsed
  }
  return tryParse(acorn, source)
}

function tryParse(acorn: Acorn, source: string): ParsedSource {
  try {
    const program = acorn.parse(source, {
      ecmaVersion: 'latest',
      sourceType: 'script',
      allowAwaitOutsideFunction: true,
      allowImportExportEverywhere: true,
    })
    // `import` has a meaning here, see auto-await.ts; nobody takes what is exported.
    const exported = program.body.find(({ type }) => type.startsWith('Export'))
    if (exported !== undefined) {
      return { kind: 'wrong', offset: exported.start, message: "Unexpected token 'export'" }
    }
    return { kind: 'program', program, source }
  } catch (error) {
    if (!isParseError(error)) throw error
    if (isCutOff(source, error)) return { kind: 'incomplete' }
    return { kind: 'wrong', offset: error.pos, message: error.message }
  }
}

type ParseError = SyntaxError & { readonly pos: number; readonly raisedAt: number }

function isParseError(error: unknown): error is ParseError {
  return error instanceof SyntaxError && 'pos' in error && 'raisedAt' in error
}

/** The text is right as far as it goes: the fault lies at its end, or in something still open. */
function isCutOff(source: string, error: ParseError): boolean {
  if (/^(?:Unterminated (?:template|comment)|Missing catch)/.test(error.message)) return true
  if (error.message.startsWith('Unterminated string')) return source.trimEnd().endsWith('\\')
  // `interface A {`: one answer to the whole of it, not one to each of its lines
  if (isTypeScriptAt(source, error.pos) && hasOpenBrace(source)) return true
  return error.pos >= source.trimEnd().length
}

function hasOpenBrace(source: string): boolean {
  return source.split('{').length > source.split('}').length
}
