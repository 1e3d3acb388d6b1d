/** The few forms that are no JavaScript: `x?`, `!cmd`, and `exit` alone. */

export type Sugar =
  | { readonly kind: 'help'; readonly name: string }
  | { readonly kind: 'command'; readonly text: string }
  | { readonly kind: 'exit' }

const helpForm = /^\s*([\p{L}_$][\w$]*(?:\.[\p{L}_$][\w$]*)*)\s*\?\s*$/u

/**
 * @param isDefined Whether a name means something in the session. `!ls` and `!client` are both valid
 *   JavaScript; they differ in that `ls` is not defined. And someone may have defined `exit`.
 */
export function readSugar(source: string, isDefined: (name: string) => boolean): Sugar | undefined {
  const help = helpForm.exec(source)
  if (help?.[1] !== undefined) return { kind: 'help', name: help[1] }
  const word = source.trim().replace(/;$/, '')
  if ((word === 'exit' || word === 'quit') && !isDefined(word)) return { kind: 'exit' }
  const command = /^!([^=!\n][^\n]*)\n?$/.exec(source)?.[1]
  if (command === undefined) return undefined
  return isExpression(command, isDefined) ? undefined : { kind: 'command', text: command.trim() }
}

/** What follows a `!` that negates: brackets, a literal, a keyword or a name that is defined. */
function isExpression(text: string, isDefined: (name: string) => boolean): boolean {
  const name = /^\s*([\p{L}_$][\w$]*)(?![\w$/-])/u.exec(text)?.[1]
  if (name === undefined) return /^\s*[([{'"`\d]/.test(text)
  return keywords.has(name) || isDefined(name)
}

const keywords = new Set(['true', 'false', 'null', 'undefined', 'this', 'await', 'typeof', 'new'])
