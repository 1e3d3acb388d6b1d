/** Records as people read them: a name and a value on each line. */

import { redact } from '../errors/redact.ts'
import { formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { printJson } from './print-json.ts'
import type { Session } from './session.ts'

/** Facts on stdout, or the record as JSON; what is undefined is not mentioned. */
export function printFacts(session: Session, facts: Readonly<Record<string, unknown>>): void {
  if (session.flags.json) {
    printJson(session, facts)
    return
  }
  const shown = Object.entries(facts).filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...shown.map(([name]) => headingOf(name).length))
  for (const [name, value] of shown) {
    session.stdout.line(`${headingOf(name).padEnd(width)}  ${textOf(name, value)}`.trimEnd())
  }
}

/** `pushedAt` as `pushed at`, `sizeBytes` as `size`. */
function headingOf(name: string): string {
  return name
    .replace(/Bytes$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase()
}

export function textOf(name: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number' && name.endsWith('Bytes')) return formatSize(value)
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) {
    return sanitise(value.join(', '))
  }
  if (typeof value === 'object') return factsInLine(value)
  return sanitise(redact(String(value)))
}

function factsInLine(value: object): string {
  return Object.entries(value)
    .map(([name, one]) => [name, textOf(name, one)] as const)
    .filter(([, text]) => text !== '')
    .map(([name, text]) => `${sanitise(name)}: ${text}`)
    .join(', ')
}
