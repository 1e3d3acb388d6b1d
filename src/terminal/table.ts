/**
 * Tables that fit the width: long columns are cut with an ellipsis, numbers stand to the right, and where
 * cutting does not make enough room the least important columns are left out.
 */
import { sanitise } from './sanitise.ts'
import type { TerminalStyle } from './terminal-style.ts'
import { cutText, cutTextAtStart, padText, textWidth } from './text-width.ts'

export type TableColumn = {
  readonly header: string
  /** Default 'left'. */
  readonly align?: 'left' | 'right'
  /** Cells that the column keeps when the table is too wide. Default: it is never cut. */
  readonly minWidth?: number
  /** Which end of a cell that is too long goes. Default 'end'. */
  readonly cutAt?: 'start' | 'end'
  /** What the rows are about: it is cut last, to no less than half of the width while others can go. */
  readonly isMain?: boolean
  /** Where cutting is not enough, the column with the highest rank is left out. Default: it stays. */
  readonly rank?: number
}

export type Table = {
  readonly columns: readonly TableColumn[]
  /** Cells are outside text: they are sanitised here. */
  readonly rows: ReadonlyArray<readonly string[]>
}

const gap = 2

/** @returns The lines of the table, header first, without a final line end. */
export function formatTable(table: Table, style: TerminalStyle): string {
  const rows = table.rows.map((row) => row.map(sanitise))
  const all = table.columns.map((column, index) => ({
    ...column,
    index,
    natural: Math.max(textWidth(column.header), ...rows.map((row) => textWidth(row[index] ?? ''))),
  }))
  const shown = fitColumns(all, style.width)
  const line = (cellOf: (column: FittedColumn) => string): string =>
    shown
      .map((column) => {
        const cut = column.cutAt === 'start' ? cutTextAtStart : cutText
        const cell = cut(cellOf(column), column.width, style.glyphs.ellipsis)
        return padText(cell, column.width, column.align ?? 'left')
      })
      .join(' '.repeat(gap))
      .trimEnd()
  const headers = line((column) => column.header)
  const isWhole = shown.length === all.length
  const mark = isWhole ? '' : `${' '.repeat(gap)}${style.glyphs.ellipsis}` // columns were left out
  const hasRoom = textWidth(headers + mark) <= style.width
  const header = hasRoom ? headers + mark : cutText(headers, style.width, '')
  const body = rows.map((row) => line((column) => row[column.index] ?? ''))
  const cut = body.map((text) => cutText(text, style.width, style.glyphs.ellipsis))
  return [style.colours.strong(header), ...cut].join('\n')
}

type MeasuredColumn = TableColumn & { readonly index: number; readonly natural: number }
type FittedColumn = MeasuredColumn & { readonly width: number }

/** Leaves columns out until the rest, cut as far as they may be, have room; then cuts the widest first. */
function fitColumns(columns: readonly MeasuredColumn[], width: number): readonly FittedColumn[] {
  let shown = columns
  while (rowWidth(shown.map((column) => floorOf(column, width))) > width) {
    const rank = Math.max(...shown.map((column) => column.rank ?? 0))
    if (rank === 0) break
    shown = shown.filter((column) => column.rank !== rank)
  }
  const widths = shrink(
    shown.map((column) => column.natural),
    shown.map((column) => floorOf(column, width)),
    width,
  )
  // nothing else can go: now the main column gives way too
  const cut = shrink(
    widths,
    shown.map((column, i) => Math.min(widths[i] ?? 0, column.minWidth ?? column.natural)),
    width,
  )
  return shown.map((column, i) => ({ ...column, width: cut[i] ?? 0 }))
}

function floorOf({ minWidth, isMain, natural }: MeasuredColumn, width: number): number {
  const least = minWidth ?? natural
  return Math.min(natural, isMain === true ? Math.max(least, Math.floor(width / 2)) : least)
}

/** Takes a cell from the widest that is above its floor until the row fits or nothing gives way. */
function shrink(
  natural: readonly number[],
  floors: readonly number[],
  width: number,
): readonly number[] {
  const widths = [...natural]
  for (let excess = rowWidth(widths) - width; excess > 0; excess--) {
    const room = widths.map((current, i) => (current > (floors[i] ?? 0) ? current : 0))
    const widest = Math.max(...room)
    if (widest === 0) return widths
    widths[room.indexOf(widest)] = widest - 1
  }
  return widths
}

function rowWidth(widths: readonly number[]): number {
  return widths.reduce((sum, one) => sum + one, gap * (widths.length - 1))
}
