/** The doctor's report: each rung with its result, its evidence and its mend, and what they come to. */
import { formatRung, type ShownRung } from '../terminal/doctor-checklist.ts'
import { sanitise } from '../terminal/sanitise.ts'
import type { RenderOptions } from './render.ts'

type Report = { readonly rungs: readonly ShownRung[] }

export function isReport(value: unknown): value is Report {
  if (typeof value !== 'object' || value === null || !('rungs' in value)) return false
  return Array.isArray(value.rungs) && value.rungs.every(isRung)
}

/** The rungs were printed as they came, if `isTold`; then only the last line is missing. */
export function renderReport(report: Report, { style, isTold }: RenderOptions): string {
  const rungs = isTold ? [] : report.rungs.flatMap((rung) => formatRung(rung, style))
  return [...rungs, summaryOf(report)].join('\n')
}

function summaryOf({ rungs }: Report): string {
  const failed = rungs.filter(({ status }) => status === 'failed').map(({ name }) => name)
  return failed.length === 0
    ? 'everything that was looked at works'
    : sanitise(`failed: ${failed.join(', ')}`)
}

function isRung(value: unknown): value is ShownRung {
  return typeof value === 'object' && value !== null && 'name' in value && 'status' in value
}
