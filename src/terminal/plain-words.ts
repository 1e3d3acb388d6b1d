/** Our own messages, with their … and ’, on a terminal that has ASCII alone. */
import type { TerminalStyle } from './terminal-style.ts'

const plain: { readonly [character: string]: string } = { '…': '...', '’': "'", '·': '-' }

export function plainWords(text: string, { glyphs }: TerminalStyle): string {
  const isAscii = /^[ -~]*$/.test(glyphs.ellipsis)
  return isAscii ? text.replace(/[…’·]/g, (character) => plain[character] ?? character) : text
}
