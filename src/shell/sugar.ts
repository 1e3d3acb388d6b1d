/** The few forms that are no JavaScript: `x?`, `?x`, `?`, `!cmd`, and `exit` or `exit()` alone. */

import { Script } from 'node:vm'

export type Sugar =
  /** Without a name: what there is. */
  | { readonly kind: 'help'; readonly name: string | undefined }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'exit'; readonly code: number }

const path = String.raw`[\p{L}_$][\w$]*(?:\.[\p{L}_$][\w$]*)*`
const helpForm = new RegExp(`^\\s*(?:(${path})\\s*\\?{1,2}|\\?{1,2}\\s*(${path})?)\\s*$`, 'u')
const exitForm = /^(exit|quit)(?:\(\s*(\d*)\s*\))?$/

/**
 * @param isDefined Whether a name means something in the session. `!ls` and `!client` are both valid
 *   JavaScript; they differ in that `ls` is not defined. And someone may have defined `exit`.
 */
export function readSugar(source: string, isDefined: (name: string) => boolean): Sugar | undefined {
  const help = helpForm.exec(source)
  if (help !== null) return { kind: 'help', name: help[1] ?? help[2] }
  const [, word, code = ''] = exitForm.exec(source.trim().replace(/;$/, '')) ?? []
  if (word !== undefined && !isDefined(word)) return { kind: 'exit', code: Number(code) % 256 }
  if (source.trim() === '!') return { kind: 'command', text: '' }
  const command = /^!([^=!\n][^\n]*)\n?$/.exec(source)?.[1]
  if (command === undefined) return undefined
  return isExpression(command, isDefined) ? undefined : { kind: 'command', text: command.trim() }
}

/** What follows a `!` that negates: brackets, a literal, a keyword or a name that is defined. */
function isExpression(text: string, isDefined: (name: string) => boolean): boolean {
  const name = /^\s*([\p{L}_$][\w$]*)(?![\w$/-])/u.exec(text)?.[1]
  if (name === undefined) return /^\s*[([{'"`\d]/.test(text)
  return keywords.has(name) || (isDefined(name) && isJavaScript(`!${text}`))
}

/**
 * Whether a line that is still being typed behind a `!` is JavaScript so far: `client.ex`, `(`. A defined
 * name alone may become either.
 */
export function startsExpression(text: string, isDefined: (name: string) => boolean): boolean {
  const [, name, next] = /^\s*([\p{L}_$][\w$]*)(?![\w$/-])\s*(.?)/u.exec(text) ?? []
  if (name === undefined) return /^\s*[([{'"`\d]/.test(text)
  return keywords.has(name) || (isDefined(name) && next !== undefined && /^[.([?]/.test(next))
}

/** `sleep` is a name of the session, `!sleep 20` all the same a command. */
function isJavaScript(source: string): boolean {
  try {
    return new Script(source) !== undefined
  } catch {
    return false // whatever is wrong with it, it is not JavaScript
  }
}

const keywords = new Set(['true', 'false', 'null', 'undefined', 'this', 'await', 'typeof', 'new'])
