/** Where the cursor is in a `!cmd` line, by the rules of a Unix shell as far as completion needs them. */
import { startsExpression } from './sugar.ts'

export type ShellWord = {
  readonly kind: 'shell'
  /** Where a program is named: first in the line, or behind a `|` or a `;`. */
  readonly isProgram: boolean
  readonly quote: '' | '"' | "'"
  /** As typed, behind the quote that is open. */
  readonly prefix: string
}

/**
 * @param isDefined See readSugar.
 * @returns Undefined for what is JavaScript: `!client.exists('x')`.
 */
export function shellWordAt(
  line: string,
  isDefined: (name: string) => boolean,
): ShellWord | undefined {
  const text = /^!(?!=)([^\n]*)$/.exec(line)?.[1]
  return text === undefined || startsExpression(text, isDefined) ? undefined : lastWord(text)
}

function lastWord(text: string): ShellWord {
  // What is quoted to its end separates nothing; a quote that is left is open.
  const plain = text.replace(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/g, (all) => 'x'.repeat(all.length))
  const [open] = /['"]/.exec(plain) ?? []
  const start = open === undefined ? plain.search(/[^\s|;&()<>=]*$/) : plain.indexOf(open) + 1
  const before = plain.slice(0, open === undefined ? start : start - 1)
  return {
    kind: 'shell',
    isProgram: /(?:^|[|;&(])\s*$/.test(before),
    quote: open === '"' || open === "'" ? open : '',
    prefix: text.slice(start),
  }
}
