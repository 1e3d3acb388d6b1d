/** The doctor's ladder: each rung with its result, its evidence and its mend. */
import { sanitise } from '../terminal/sanitise.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'

type Rung = {
  readonly name: string
  readonly status: string
  readonly evidence?: unknown
  readonly hint?: unknown
}

type Report = { readonly rungs: readonly Rung[] }

export function isReport(value: unknown): value is Report {
  if (typeof value !== 'object' || value === null || !('rungs' in value)) return false
  return Array.isArray(value.rungs) && value.rungs.every(isRung)
}

export function renderReport(report: Report, style: TerminalStyle): string {
  const nameWidth = Math.max(0, ...report.rungs.map((rung) => rung.name.length))
  return report.rungs.flatMap((rung) => rungLines(rung, nameWidth, style)).join('\n')
}

function isRung(value: unknown): value is Rung {
  return typeof value === 'object' && value !== null && 'name' in value && 'status' in value
}

function rungLines(rung: Rung, nameWidth: number, style: TerminalStyle): readonly string[] {
  const evidence = typeof rung.evidence === 'string' ? sanitise(rung.evidence) : ''
  const line = `${markOf(rung.status, style)} ${sanitise(rung.name).padEnd(nameWidth)}  ${evidence}`
  if (typeof rung.hint !== 'string' || rung.hint === '') return [line.trimEnd()]
  return [line.trimEnd(), `  ${style.colours.warn('hint')}: ${sanitise(rung.hint)}`]
}

function markOf(status: string, { colours, glyphs }: TerminalStyle): string {
  if (status === 'ok' || status === 'good' || status === 'passed') return colours.good(glyphs.good)
  if (status === 'failed' || status === 'bad') return colours.bad(glyphs.bad)
  return colours.warn(glyphs.skipped)
}
