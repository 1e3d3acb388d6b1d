/** Lists of plain records as tables, and lists of words in columns. */
import { formatAge, formatSize } from '../terminal/quantities.ts'
import { sanitise } from '../terminal/sanitise.ts'
import { formatTable, type TableColumn } from '../terminal/table.ts'
import type { TerminalStyle } from '../terminal/terminal-style.ts'
import { padText, textWidth } from '../terminal/text-width.ts'
import type { RenderOptions } from './render.ts'
import { isDigest, shortDigest } from './short-digest.ts'

type Row = { readonly [name: string]: unknown }

/** A record whose values fit a cell each. */
export function isTableRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return false
  const cells = Object.values(value)
  return cells.length > 0 && cells.every(isCell)
}

export function renderRecords(rows: readonly Row[], options: RenderOptions): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const columns = names.map((name, i): TableColumn => {
    const values = rows.map((row) => row[name])
    const isNumeric = values.every((value) => value === undefined || typeof value === 'number')
    const header = headerOf(name)
    if (isNumeric) return { header, align: 'right' }
    return i === 0 ? { header, minWidth: 6, isMain: true } : { header, minWidth: 12, rank: i }
  })
  const cells = rows.map((row) => names.map((name) => cellText(name, row[name], options.now)))
  return formatTable({ columns, rows: cells }, options.style)
}

/** Short words side by side, down each column first, as `ls` shows them. */
export function renderWords(words: readonly string[], style: TerminalStyle): string {
  const shown = words.map(sanitise)
  const cell = Math.max(...shown.map(textWidth)) + 2
  const columns = Math.max(1, Math.floor(style.width / cell))
  const height = Math.ceil(shown.length / columns)
  const lines = Array.from({ length: height }, (_, row) =>
    shown
      .filter((_word, i) => i % height === row)
      .map((word) => padText(word, cell, 'left'))
      .join('')
      .trimEnd(),
  )
  return lines.join('\n')
}

function isCell(value: unknown): boolean {
  if (value === null || value instanceof Date || isDigest(value)) return true
  if (Array.isArray(value)) return value.every((one) => typeof one === 'string')
  return typeof value !== 'object' && typeof value !== 'function'
}

// `sizeBytes` is shown as `SIZE` in units, `pushedAt` as `PUSHED AT`.
function headerOf(name: string): string {
  return name
    .replace(/Bytes$/, '')
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()
}

function cellText(name: string, value: unknown, now: number): string {
  if (value === undefined || value === null) return ''
  if (value instanceof Date) return formatAge(value, now)
  if (isDigest(value)) return shortDigest(value)
  if (typeof value === 'number' && /(?:^size|Bytes$|Size$)/.test(name)) return formatSize(value)
  return Array.isArray(value) ? value.join(', ') : String(value)
}
