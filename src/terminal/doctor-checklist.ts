/** A rung of the doctor's ladder as lines: its mark, its evidence, where values come from, the mend. */
import { redact } from '../errors/redact.ts'
import { sanitise } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'
import { padText, textWidth } from './text-width.ts'

export type ShownRung = {
  readonly name: string
  readonly status: string
  readonly evidence?: unknown
  readonly source?: unknown
  readonly hint?: unknown
}

/** Longer names push their evidence to the right. */
const nameWidth = 19

/** @returns Whole lines; long evidence goes on below itself. */
export function formatRung(rung: ShownRung, style: TerminalStyle): readonly string[] {
  const { colours } = style
  const name = padText(sanitise(rung.name), nameWidth, 'left')
  const start = `${markOf(rung.status, style)} ${colours.strong(name)}  `
  const indent = ' '.repeat(textWidth(style.glyphs.good) + 1 + nameWidth + 2)
  const used = textWidth(style.glyphs.good) + 1 + textWidth(name) + 2
  const [first = '', ...rest] = wrapped(
    textOf(rung.evidence),
    style.width - used,
    style.width - indent.length,
  )
  const lines = [`${start}${first}`.trimEnd(), ...rest.map((line) => `${indent}${line}`)]
  const source = wrapped(textOf(rung.source), style.width - indent.length)
  lines.push(...source.map((line) => `${indent}${colours.dim(line)}`))
  const hint = textOf(rung.hint)
  // a mend is to be copied: it is never broken
  if (hint !== '') lines.push(`  ${colours.warn('hint')}: ${hint}`)
  return lines
}

function markOf(status: string, { colours, glyphs }: TerminalStyle): string {
  if (status === 'ok') return colours.good(glyphs.good)
  if (status === 'failed') return colours.bad(glyphs.bad)
  return status === 'warning' ? colours.warn(glyphs.skipped) : colours.dim(glyphs.skipped)
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? sanitise(redact(value)) : ''
}

/** Lines of whole words, the first of another width where it starts further right. */
function wrapped(text: string, firstWidth: number, width: number = firstWidth): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').filter((part) => part !== '')) {
    const room = Math.max(20, lines.length === 0 ? firstWidth : width)
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && textWidth(longer) > room) {
      lines.push(line)
      line = word
    } else line = longer
  }
  return line === '' ? lines : [...lines, line]
}
