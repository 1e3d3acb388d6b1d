/** Which input must not be written anywhere: history, saved sessions, logs. */
import {
  literalEnd,
  literalStart,
  secretForms,
  secretsInCode,
  secretsInText,
} from './secret-patterns.ts'

/** Whether a statement must be forgotten with the session: it begins with a space, or shows a secret. */
export function isPrivate(statement: string): boolean {
  return statement.startsWith(' ') || holdsSecret(statement)
}

/** Whether a statement of any number of lines shows a secret, as far as can be told from its form. */
export function holdsSecret(statement: string): boolean {
  const { code, texts } = readLiterals(statement)
  if (isForOthers(statement)) texts.push(statement)
  return (
    matches(secretForms(), statement) ||
    matches(secretsInCode(), code) ||
    texts.some((text) => matches(secretsInText(), text))
  )
}

/** As `holdsSecret`, of a line that was printed: nothing in it is code for certain. */
export function showsSecret(line: string): boolean {
  return holdsSecret(line) || matches(secretsInText(), line)
}

/** `!cmd`, a dot-command, or a line that was meant for another shell. */
function isForOthers(statement: string): boolean {
  return /^\s*(?:[!.]|(?:export\s+)?[A-Z][A-Z\d_]*=|docker\s|curl\s|aws\s)/.test(statement)
}

const remark = String.raw`\/\/[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?`
const quoted = ["'", '"'].map((quote) => String.raw`${quote}(?:\\.|[^${quote}\\\n])*${quote}?`)
const template = String.raw`\`(?:\\.|[^\`\\])*\`?`
/** After these a slash begins a regular expression; the quotes in it begin nothing. */
const expression = String.raw`(?<=[(,=:[!&|?{};]\s{0,9})\/(?![*/])(?:\\.|[^/\\\n])+\/`

/**
 * The statement with its strings marked and its remarks gone, and what is in both. acorn would read it
 * better, but is not there yet at the first statement, and not at all for what is no JavaScript. Whatever
 * is not closed ends with its line, so that each letter is read once.
 */
function readLiterals(statement: string): { readonly code: string; readonly texts: string[] } {
  const texts: string[] = []
  const parts = new RegExp(`${remark}|${quoted.join('|')}|${template}|${expression}`, 'gs')
  const code = statement.replace(parts, (part) => {
    const isRemark = part.startsWith('//') || part.startsWith('/*')
    if (part.startsWith('/') && !isRemark) return ' '
    const text = isRemark ? part : part.replace(/^['"`]|['"`]$/g, '')
    texts.push(text)
    return isRemark ? ' ' : `${literalStart}${withoutReferences(text)}${literalEnd}`
  })
  return { code, texts }
}

/** `` `Bearer ${token}` `` and `'Bearer ' + token` show none. */
function withoutReferences(text: string): string {
  return text.replace(/\$\{[^}]*\}/g, '').replace(/^(?:(?:Basic|Bearer|token)\s+|AWS:|\s+)$/i, '')
}

function matches(patterns: readonly RegExp[], text: string): boolean {
  return patterns.some((pattern) => pattern.test(text))
}
