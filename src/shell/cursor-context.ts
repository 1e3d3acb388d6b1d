/**
 * Where the cursor is, from the text left of it alone: no code is run to find out. acorn's tokenizer
 * goes as far as it gets (an open string stops it), a stack of brackets tells the rest.
 */

import { type ShellWord, shellWordAt } from './shell-line.ts'

export type CursorContext =
  /** `!ls ./sr` */
  | ShellWord
  | { readonly kind: 'nothing' }
  /** `.com` */
  | { readonly kind: 'command'; readonly prefix: string }
  /** `.load ./sr` */
  | { readonly kind: 'command-argument'; readonly command: string; readonly prefix: string }
  /** `cli` */
  | { readonly kind: 'name'; readonly prefix: string }
  /** `client.pu`; with `called`, the members of what the call of the path gives: `client.images().` */
  | {
      readonly kind: 'member'
      readonly path: readonly string[]
      readonly called: boolean
      readonly prefix: string
    }
  /**
   * `client.pull('lib`; with `option`, inside the options: `{ format: 's`. Of `import x from 'node:`
   * the callee is `import`, of a string outside of any call it is empty.
   */
  | {
      readonly kind: 'string'
      readonly callee: string
      readonly argument: number
      readonly option: string | undefined
      readonly prefix: string
    }
  /** `client.pull('x', { for` */
  | {
      readonly kind: 'option'
      readonly callee: string
      readonly argument: number
      readonly given: readonly string[]
      readonly prefix: string
    }
  /** `client.pull('x', { format: ` */
  | {
      readonly kind: 'value'
      readonly callee: string
      readonly option: string
      readonly prefix: ''
    }
  /** `client.pull(` */
  | { readonly kind: 'argument'; readonly callee: string; readonly argument: number }

type Acorn = typeof import('acorn')

type Bracket = {
  readonly opener: string
  /** What stands before the bracket: `client.pull` before its `(`. */
  readonly path: readonly string[]
  argument: number
  /** In an object literal: the names so far, and the one whose value is being typed. */
  readonly given: string[]
  key: string | undefined
}

type ScannedToken = {
  readonly label: string
  /** Of a name or a keyword; undefined for all else. */
  readonly name: string | undefined
  /** Of a literal that may stand between square brackets. */
  readonly key: string | undefined
  readonly end: number
}

type Scan = {
  readonly tokens: readonly ScannedToken[]
  /** Where an open string starts; undefined when there is none. */
  readonly openString: number | undefined
  /** In a comment or in something else that takes no completion. */
  readonly isOpaque: boolean
}

const nothing: CursorContext = { kind: 'nothing' }

export function cursorContext(acorn: Acorn, line: string): CursorContext {
  const command = /^\s*\.(?:([a-z][\w-]*)(\s+)(.*)|([a-z]?[\w-]*))$/i.exec(line)
  if (command !== null) {
    const [, name, , argument, prefix] = command
    return name === undefined
      ? { kind: 'command', prefix: prefix ?? '' }
      : { kind: 'command-argument', command: name, prefix: lastWord(argument ?? '') }
  }
  const word = shellWordAt(line, (name) => name in globalThis)
  if (word !== undefined) return word
  const scan = scanLine(acorn, line)
  if (scan.isOpaque) return nothing
  const brackets = openBrackets(scan.tokens)
  if (scan.openString !== undefined) {
    return stringContext(line.slice(scan.openString + 1), brackets, scan.tokens)
  }
  return wordContext(line, scan.tokens, brackets)
}

function scanLine(acorn: Acorn, line: string): Scan {
  const tokens: ScannedToken[] = []
  let commentEnd = -1
  const onComment = (isBlock: boolean, _text: string, _start: number, end: number): void => {
    commentEnd = isBlock ? -1 : end
  }
  try {
    for (const { type, start, end } of acorn.tokenizer(line, {
      ecmaVersion: 'latest',
      onComment,
    })) {
      const isWord = type.label === 'name' || type.keyword !== undefined
      const text = line.slice(start, end)
      const isLiteral = type.label === 'num' || type.label === 'string'
      tokens.push({
        label: type.label,
        name: isWord ? text : undefined,
        key: isLiteral ? /^(['"]?)([\w-]+)\1$/.exec(text)?.[2] : undefined,
        end,
      })
    }
  } catch (error) {
    const openString = openStringOf(error, tokens)
    return { tokens, openString, isOpaque: openString === undefined }
  }
  return { tokens, openString: undefined, isOpaque: commentEnd === line.length && commentEnd > 0 }
}

/** Where the string starts that acorn has found no end of. */
function openStringOf(error: unknown, tokens: readonly ScannedToken[]): number | undefined {
  if (!(error instanceof Error && 'pos' in error)) return undefined
  if (error.message.startsWith('Unterminated string')) return Number(error.pos)
  // acorn is past the backtick by then; behind a `${…}` it is no plain text any more
  const isPlain = tokens.at(-1)?.label === '`'
  const isTemplate = error.message.startsWith('Unterminated template') && isPlain
  return isTemplate ? Number(error.pos) - 1 : undefined
}

function openBrackets(tokens: readonly ScannedToken[]): readonly Bracket[] {
  const stack: Bracket[] = []
  for (const [i, token] of tokens.entries()) {
    const { label } = token
    const top = stack.at(-1)
    if (['(', '[', '{', '${'].includes(label)) {
      const path = pathBefore(tokens, i)
      stack.push({ opener: label, path, argument: 0, given: [], key: undefined })
    } else if ([')', ']', '}'].includes(label)) {
      stack.pop()
    } else if (label === ',' && top !== undefined) {
      top.argument += 1
      top.key = undefined
    } else if (label === ':' && top?.opener === '{') {
      top.key = tokens[i - 1]?.name
      if (top.key !== undefined) top.given.push(top.key)
    }
  }
  return stack
}

function stringContext(
  prefix: string,
  brackets: readonly Bracket[],
  tokens: readonly ScannedToken[],
): CursorContext {
  const { call, object } = enclosing(brackets)
  const isImport = ['import', 'from'].includes(tokens.at(-1)?.name ?? '')
  const callee = isImport ? 'import' : (call?.path.join('.') ?? '')
  return { kind: 'string', callee, argument: call?.argument ?? 0, option: object?.key, prefix }
}

/** The call whose arguments the cursor is in, directly, in a list or in an object of options. */
function enclosing(brackets: readonly Bracket[]): {
  readonly call: Bracket | undefined
  readonly object: Bracket | undefined
} {
  const inner = brackets.at(-1)
  const isInside = inner?.opener === '{' || inner?.opener === '['
  const call = isInside ? brackets.at(-2) : inner
  const isCall = call?.opener === '(' && call.path.length > 0
  return {
    call: isCall ? call : undefined,
    object: isCall && inner?.opener === '{' ? inner : undefined,
  }
}

function wordContext(
  line: string,
  tokens: readonly ScannedToken[],
  brackets: readonly Bracket[],
): CursorContext {
  const last = tokens.at(-1)
  const touches = last?.end === line.length
  const prefix = touches ? (last.name ?? '') : ''
  const before = prefix === '' ? tokens.length : tokens.length - 1
  const dot = tokens[before - 1]?.label
  if (dot === '.' || dot === '?.') return memberContext(tokens, before - 1, prefix)
  const { call, object } = enclosing(brackets)
  if (call !== undefined && object !== undefined && object.key === undefined) {
    const { argument } = call
    return { kind: 'option', callee: call.path.join('.'), argument, given: object.given, prefix }
  }
  if (prefix !== '') return { kind: 'name', prefix }
  if (call !== undefined && object?.key !== undefined && dot === ':') {
    return { kind: 'value', callee: call.path.join('.'), option: object.key, prefix }
  }
  const isFresh = call !== undefined && (dot === '(' || dot === ',') && object === undefined
  if (isFresh) return { kind: 'argument', callee: call.path.join('.'), argument: call.argument }
  return tokens.length === 0 || !touches ? { kind: 'name', prefix } : nothing
}

function memberContext(
  tokens: readonly ScannedToken[],
  dot: number,
  prefix: string,
): CursorContext {
  const path = pathBefore(tokens, dot)
  if (path.length > 0) return { kind: 'member', path, called: false, prefix }
  if (tokens[dot - 1]?.label !== ')') return nothing
  const opener = matchingOpener(tokens, dot - 1)
  const callee = opener < 0 ? [] : pathBefore(tokens, opener)
  return callee.length === 0 ? nothing : { kind: 'member', path: callee, called: true, prefix }
}

function matchingOpener(tokens: readonly ScannedToken[], closer: number): number {
  let depth = 0
  for (let i = closer; i >= 0; i--) {
    const label = tokens[i]?.label ?? ''
    if ([')', ']', '}'].includes(label)) depth += 1
    if (['(', '[', '{', '${'].includes(label)) depth -= 1
    if (depth === 0) return i
  }
  return -1
}

/** The names that end before a token: `a.b[0].c` before the `(`; empty when it is no plain path. */
function pathBefore(tokens: readonly ScannedToken[], index: number): readonly string[] {
  const path: string[] = []
  for (let i = index - 1; ; ) {
    const isIndex = tokens[i]?.label === ']' && tokens[i - 2]?.label === '['
    const name = isIndex ? tokens[i - 1]?.key : tokens[i]?.name
    if (name === undefined) return []
    path.unshift(name)
    if (isIndex) {
      i -= 3
      continue
    }
    const label = tokens[i - 1]?.label
    if (label !== '.' && label !== '?.') return path
    i -= 2
  }
}

function lastWord(text: string): string {
  return /\S*$/.exec(text)?.[0] ?? ''
}
