/** A rung of the doctor's ladder as lines: its mark, its evidence, where values come from, the mend. */
import { redact } from '../errors/redact.ts'
import { plainWords } from './plain-words.ts'
import { sanitise } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'
import { padText, textWidth, wrapWords } from './text-width.ts'

export type ShownRung = {
  readonly name: string
  readonly status: string
  readonly evidence?: unknown
  readonly source?: unknown
  readonly hint?: unknown
}

/** Longer names push their evidence to the right. */
const nameWidth = 19
/** With less room than this beside the names, evidence stands below them. */
const leastRoom = 30

/** @returns Whole lines; long evidence goes on below itself. */
export function formatRung(rung: ShownRung, style: TerminalStyle): readonly string[] {
  const { colours, glyphs, width } = style
  const beside = textWidth(glyphs.good) + 1 + nameWidth + 2
  const isBeside = width - beside >= leastRoom
  const name = padText(sanitise(rung.name), nameWidth, 'left')
  const start = `${markOf(rung.status, style)} ${colours.strong(name)}  `
  const indent = ' '.repeat(isBeside ? beside : 4)
  const room = width - indent.length
  const pushed = textWidth(name) - nameWidth
  const evidence = wrapWords(textOf(rung.evidence, style), room, isBeside ? room - pushed : room)
  const [first = '', ...rest] = isBeside ? evidence : ['', ...evidence]
  const lines = [`${start}${first}`.trimEnd(), ...rest.map((line) => `${indent}${line}`)]
  const source = wrapWords(textOf(rung.source, style), room)
  lines.push(...source.map((line) => `${indent}${colours.dim(line)}`))
  const hint = textOf(rung.hint, style)
  // a mend is to be copied: it is never broken
  if (hint !== '') lines.push(`  ${colours.warn('hint')}: ${hint}`)
  return lines
}

function markOf(status: string, { colours, glyphs }: TerminalStyle): string {
  if (status === 'ok') return colours.good(glyphs.good)
  if (status === 'failed') return colours.bad(glyphs.bad)
  return status === 'warning' ? colours.warn(glyphs.doubtful) : colours.dim(glyphs.skipped)
}

function textOf(value: unknown, style: TerminalStyle): string {
  return typeof value === 'string' ? plainWords(sanitise(redact(value)), style) : ''
}
